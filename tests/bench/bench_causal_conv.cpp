// The convolution against its floor, a copy of the same bytes by as many threads: x is read out of
// the in_proj's rows and written dense, as the block calls it.

#include <benchmark/benchmark.h>
#include <cstdint>

#include "bench_values.hpp"
#include "kernels/cpu/causal_conv.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace {

using namespace ssmgen;

template <class T>
void causal_conv(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  const std::int64_t length = state.range(1);
  const std::int64_t channels = state.range(2);
  const std::int64_t width = state.range(3);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(4)));
  const std::int64_t rows = batch * length;
  const auto in_proj = bench::normal_values<T>(rows * 2 * channels, 0.0f, 1.0f, 1);
  const auto weight = bench::normal_values<float>(channels * width, 0.0f, 0.5f, 2);
  const auto bias = bench::normal_values<float>(channels, 0.0f, 0.5f, 3);
  const auto out = bench::allocate<T>(rows * channels);

  kernels::CausalConvArgs<T> args;
  args.in = in_proj.get();
  args.in_row_stride = 2 * channels;
  args.in_batch_stride = length * args.in_row_stride;
  args.weight = weight.get();
  args.bias = bias.get();
  args.out = out.get();
  args.batch = batch;
  args.opposite_from = batch / 2;
  args.length = length;
  args.channels = channels;
  args.width = width;
  const auto bytes = static_cast<double>(rows * channels * 2 * std::int64_t{sizeof(T)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::causal_conv(pool, args); });
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"batch", "length", "channels", "width", "threads"});
  for (const int threads : {1, 2}) {
    bench->Args({2, 512, 256, 4, threads});
    bench->Args({16, 512, 256, 4, threads});
    bench->Args({2, 16384, 512, 4, threads});
  }
  bench->Args({2, 512, 256, 5, 1});
  bench->UseRealTime();
}

BENCHMARK(causal_conv<float>)->Apply(shapes);
BENCHMARK(causal_conv<kernels::bfloat16>)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
