// The selective scan against its floor, the rate of bare exponentials. Shapes are those of the
// callers: windows of the demo model (d_inner 256) and one long sequence of d256 x 16 (d_inner
// 512), both strands a batch, x and gate as two halves of the in_proj's rows and B, C inside the
// x_proj's rows.

#include <benchmark/benchmark.h>
#include <cstdint>

#include "bench_values.hpp"
#include "kernels/cpu/machine_rates.hpp"
#include "kernels/cpu/selective_scan.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace {

using namespace ssmgen;

/// Exponentials a second of one core with nothing around them.
double exponential_floor() {
  static const double rate = [] {
    kernels::cpu::ThreadPool one(1);
    return kernels::cpu::measure_exponential_rate(one);
  }();
  return rate;
}

template <class T>
void selective_scan(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  const std::int64_t length = state.range(1);
  const std::int64_t channels = state.range(2);
  const std::int64_t states = state.range(3);
  const int threads = static_cast<int>(state.range(4));
  const std::int64_t rank = channels / 32;
  const std::int64_t x_proj_row = rank + 2 * states;
  const std::int64_t rows = batch * length;
  kernels::cpu::ThreadPool pool(threads);
  const auto in_proj = bench::normal_values<T>(rows * 2 * channels, 0.0f, 1.0f, 1);
  const auto x_proj = bench::normal_values<float>(rows * x_proj_row, 0.0f, 1.0f, 2);
  const auto delta = bench::normal_values<T>(rows * channels, 0.05f, 0.01f, 3);
  const auto skip = bench::normal_values<float>(channels, 1.0f, 0.1f, 4);
  const auto a = bench::normal_values<float>(channels * states, -8.0f, 2.0f, 5);
  const auto out = bench::allocate<T>(rows * channels);

  kernels::SelectiveScanArgs<T> args;
  args.x = in_proj.get();
  args.x_row_stride = 2 * channels;
  args.x_batch_stride = length * args.x_row_stride;
  args.gate = args.x + channels;
  args.gate_row_stride = args.x_row_stride;
  args.gate_batch_stride = args.x_batch_stride;
  args.delta = delta.get();
  args.a = a.get();
  args.b = x_proj.get() + rank;
  args.c = args.b + states;
  args.bc_row_stride = x_proj_row;
  args.bc_batch_stride = length * x_proj_row;
  args.d = skip.get();
  args.out = out.get();
  args.batch = batch;
  args.opposite_from = batch / 2;
  args.length = length;
  args.channels = channels;
  args.states = states;
  bench::run(state, "exp/s", static_cast<double>(rows * channels * states),
             exponential_floor() * threads, [&] { kernels::cpu::selective_scan(pool, args); });
}

void bare_exponentials(benchmark::State& state) {
  for (auto _ : state) state.counters["exp/s"] = exponential_floor();
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"batch", "length", "channels", "states", "threads"});
  for (const int threads : {1, 2}) {
    bench->Args({2, 512, 256, 16, threads});
    bench->Args({16, 512, 256, 16, threads});
    bench->Args({2, 16384, 512, 16, threads});
  }
  bench->Args({2, 512, 256, 5, 1});
  bench->Args({2, 512, 250, 16, 1});
  bench->UseRealTime();
}

BENCHMARK(bare_exponentials)->Iterations(1);
BENCHMARK(selective_scan<float>)->Apply(shapes);
BENCHMARK(selective_scan<kernels::bfloat16>)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
