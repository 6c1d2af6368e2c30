// The pre-norms against their floor, a copy of the same bytes by as many threads.

#include <benchmark/benchmark.h>
#include <cstdint>

#include "bench_values.hpp"
#include "kernels/cpu/add_layer_norm.hpp"
#include "kernels/cpu/add_rms_norm.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace {

using namespace ssmgen;

template <class T, class R, class Kernel>
void add_norm(benchmark::State& state, const Kernel& kernel) {
  const std::int64_t rows = state.range(0);
  const std::int64_t channels = state.range(1);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(2)));
  const auto hidden = bench::normal_values<T>(rows * channels, 0.0f, 1.0f, 1);
  const auto residual_in = bench::normal_values<R>(rows * channels, 0.0f, 1.0f, 2);
  const auto residual_out = bench::allocate<R>(rows * channels);
  const auto out = bench::allocate<T>(rows * channels);
  const auto weight = bench::normal_values<float>(channels, 1.0f, 0.1f, 3);

  kernels::AddNormArgs<T, R> args;
  args.hidden = hidden.get();
  args.residual_in = residual_in.get();
  args.residual_out = residual_out.get();
  args.weight = weight.get();
  args.out = out.get();
  args.rows = rows;
  args.channels = channels;
  args.reverse_channels = state.range(3) != 0;
  const auto bytes = static_cast<double>(rows * channels * 2 * std::int64_t{sizeof(T) + sizeof(R)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernel(pool, args); });
}

template <class T, class R>
void add_rms_norm(benchmark::State& state) {
  add_norm<T, R>(state,
                 [](auto& pool, const auto& args) { kernels::cpu::add_rms_norm(pool, args); });
}

template <class T, class R>
void add_layer_norm(benchmark::State& state) {
  add_norm<T, R>(state,
                 [](auto& pool, const auto& args) { kernels::cpu::add_layer_norm(pool, args); });
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "channels", "threads", "reverse"});
  for (const int threads : {1, 2}) {
    bench->Args({1024, 128, threads, 0});
    bench->Args({65536, 256, threads, 0});
  }
  bench->Args({1024, 128, 1, 1});
  bench->UseRealTime();
}

using kernels::bfloat16;
BENCHMARK(add_rms_norm<float, float>)->Apply(shapes);
BENCHMARK(add_rms_norm<bfloat16, bfloat16>)->Apply(shapes);
BENCHMARK(add_rms_norm<bfloat16, float>)->Apply(shapes);
BENCHMARK(add_layer_norm<float, float>)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
