// The kernels that move rows and do little to them, against a copy of the same bytes by as many
// threads: token embedding, gathering and placing of rows, elementwise product, log-softmax over
// the bases.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <vector>

#include "bench_values.hpp"
#include "kernels/cpu/base_log_softmax.hpp"
#include "kernels/cpu/gather_rows.hpp"
#include "kernels/cpu/multiply.hpp"
#include "kernels/cpu/place_rows.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "kernels/cpu/token_embedding.hpp"

namespace {

using namespace ssmgen;

constexpr std::int64_t channels = 256;

template <class T>
void token_embedding(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto weight = bench::normal_values<T>(16 * channels, 0.0f, 1.0f, 1);
  const auto out = bench::allocate<T>(rows * channels);
  std::vector<std::int32_t> ids;
  for (std::int64_t i = 0; i < rows; ++i) ids.push_back(static_cast<std::int32_t>(7 + i % 4));
  kernels::TokenEmbeddingArgs<T> args;
  args.ids = ids.data();
  args.weight = weight.get();
  args.out = out.get();
  args.rows = rows;
  args.channels = channels;
  const double bytes = 2.0 * static_cast<double>(rows * channels * std::int64_t{sizeof(T)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::token_embedding(pool, args); });
}

template <class T>
void gather_rows(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto in = bench::normal_values<T>(rows * channels, 0.0f, 1.0f, 1);
  const auto out = bench::allocate<T>(rows * channels);
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < rows; ++i) index.push_back(i * 4099 % rows);
  kernels::GatherRowsArgs<T> args;
  args.in = in.get();
  args.in_row_stride = channels;
  args.row_index = index.data();
  args.out = out.get();
  args.rows = rows;
  args.channels = channels;
  const double bytes = 2.0 * static_cast<double>(rows * channels * std::int64_t{sizeof(T)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::gather_rows(pool, args); });
}

template <class T>
void place_rows(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto in = bench::normal_values<T>(rows * channels, 0.0f, 1.0f, 1);
  const auto out = bench::allocate<float>(rows * 2 * channels);
  kernels::PlaceRowsArgs<T> args;
  args.in = in.get();
  args.in_row_stride = channels;
  args.out = out.get() + channels;
  args.out_row_stride = 2 * channels;
  args.rows = rows;
  args.channels = channels;
  args.reversed = true;
  const auto element_bytes = static_cast<std::int64_t>(sizeof(T) + sizeof(float));
  const double bytes = static_cast<double>(rows * channels * element_bytes);
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::place_rows(pool, args); });
}

template <class T>
void multiply(benchmark::State& state) {
  const std::int64_t count = state.range(0) * channels;
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto a = bench::normal_values<T>(count, 0.0f, 1.0f, 1);
  const auto b = bench::normal_values<T>(count, 0.0f, 1.0f, 2);
  const auto out = bench::allocate<T>(count);
  kernels::MultiplyArgs<T> args;
  args.a = a.get();
  args.b = b.get();
  args.out = out.get();
  args.count = count;
  const double bytes = 3.0 * static_cast<double>(count * std::int64_t{sizeof(T)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::multiply(pool, args); });
}

void base_log_softmax(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto logits = bench::normal_values<float>(rows * 16, 0.0f, 3.0f, 1);
  const auto out = bench::allocate<float>(rows * 4);
  kernels::BaseLogSoftmaxArgs args;
  args.logits = logits.get();
  args.base_ids = {7, 8, 9, 10};
  args.out = out.get();
  args.rows = rows;
  args.vocabulary = 16;
  const double bytes = static_cast<double>(rows * 20 * std::int64_t{sizeof(float)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::base_log_softmax(pool, args); });
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "threads"});
  for (const int threads : {1, 2}) {
    bench->Args({1024, threads});
    bench->Args({131072, threads});
  }
  bench->Unit(benchmark::kMicrosecond)->UseRealTime();
}

BENCHMARK(token_embedding<float>)->Apply(shapes);
BENCHMARK(token_embedding<kernels::bfloat16>)->Apply(shapes);
BENCHMARK(gather_rows<float>)->Apply(shapes);
BENCHMARK(gather_rows<kernels::bfloat16>)->Apply(shapes);
BENCHMARK(place_rows<float>)->Apply(shapes);
BENCHMARK(place_rows<kernels::bfloat16>)->Apply(shapes);
BENCHMARK(multiply<float>)->Apply(shapes);
BENCHMARK(multiply<kernels::bfloat16>)->Apply(shapes);
BENCHMARK(base_log_softmax)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
