// The LM head against the floors that bind it: a copy of the bytes it reads for a DNA vocabulary,
// multiply-adds for words.

#include <benchmark/benchmark.h>
#include <cstdint>
#include <vector>

#include "bench_values.hpp"
#include "fma_floor.hpp"
#include "kernels/cpu/lm_head.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace {

using namespace ssmgen;

template <class T>
void lm_head(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const std::int64_t channels = state.range(1);
  const std::int64_t vocabulary = state.range(2);
  const bool two_strands = state.range(3) == 2;
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(4)));
  const auto plus = bench::normal_values<T>(rows * channels, 0.0f, 1.0f, 1);
  const auto minus = bench::normal_values<T>(rows * channels, 0.0f, 1.0f, 2);
  const auto weight = bench::normal_values<float>(vocabulary * channels, 0.0f, 1.0f, 3);
  const auto logits = bench::allocate<float>(rows * vocabulary);
  std::vector<std::int32_t> complement;
  for (std::int64_t v = 0; v < vocabulary; ++v) {
    complement.push_back(static_cast<std::int32_t>(vocabulary - 1 - v));
  }
  kernels::LmHeadArgs<T> args;
  args.plus = plus.get();
  args.minus = two_strands ? minus.get() : nullptr;
  args.weight = weight.get();
  args.complement = complement.data();
  args.logits = logits.get();
  args.rows = rows;
  args.channels = channels;
  args.vocabulary = vocabulary;

  const double elements = static_cast<double>(rows * channels * state.range(3));
  const double flop = 2.0 * elements * static_cast<double>(vocabulary);
  bench::run(state, "FLOP/s", flop, bench::fma_flop_per_second(pool),
             [&] { kernels::cpu::lm_head(pool, args); });
  const double bytes = elements * sizeof(T);
  state.counters["of_copy"] =
      state.counters["FLOP/s"] / flop * bytes / bench::copied_bytes_per_second(pool, bytes / 2);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "channels", "vocabulary", "strands", "threads"});
  for (const int threads : {1, 2}) {
    bench->Args({8192, 128, 16, 2, threads});
    bench->Args({131072, 256, 16, 2, threads});
    bench->Args({256, 768, 50280, 1, threads});
  }
  bench->Unit(benchmark::kMicrosecond)->UseRealTime();
}

BENCHMARK(lm_head<float>)->Apply(shapes);
BENCHMARK(lm_head<kernels::bfloat16>)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
