// The kernels of S4. The scan's floor is four multiply-adds a position, channel and pair of states;
// the convolution's two a position, channel and real state, with nothing for its Fourier
// transforms; that of GELU and GLU a copy of the same bytes. Shapes are those of d256 with 64
// states.

#include <benchmark/benchmark.h>
#include <cstdint>

#include "bench_values.hpp"
#include "fma_floor.hpp"
#include "kernels/cpu/diagonal_scan.hpp"
#include "kernels/cpu/gelu.hpp"
#include "kernels/cpu/glu.hpp"
#include "kernels/cpu/state_convolution.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace {

using namespace ssmgen;

constexpr std::int64_t channels = 256;

template <class T>
void diagonal_scan(benchmark::State& state) {
  const std::int64_t length = state.range(0);
  const std::int64_t states = state.range(1);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(2)));
  const auto in = bench::normal_values<T>(length * channels, 0.0f, 1.0f, 1);
  // Small coefficients: the state dies away, and zeros are as slow as other values.
  const auto coefficients =
      bench::normal_values<float>(states * kernels::diagonal_scan_rows * channels, 0.0f, 1e-2f, 2);
  const auto taps =
      bench::normal_values<float>(kernels::diagonal_scan_group * channels, 0.0f, 1.0f, 3);
  const auto out = bench::allocate<T>(length * channels);
  kernels::DiagonalScanArgs<T> args;
  args.in = in.get();
  args.coefficients = coefficients.get();
  args.taps = taps.get();
  args.out = out.get();
  args.batch = 1;
  args.length = length;
  args.channels = channels;
  args.states = states;
  const double flop = 8.0 * static_cast<double>(length * channels * states);
  bench::run(state, "FLOP/s", flop, bench::fma_flop_per_second(pool),
             [&] { kernels::cpu::diagonal_scan(pool, args); });
}

// With no states it is the Fourier transforms alone, and its floor is not told.
template <class T>
void state_convolution(benchmark::State& state) {
  constexpr std::int64_t block = kernels::convolution_block;
  const std::int64_t length = state.range(0);
  const std::int64_t states = state.range(1);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(2)));
  const auto in = bench::normal_values<T>(length * channels, 0.0f, 1.0f, 1);
  const auto taps = bench::normal_values<float>(block * channels, 0.0f, 0.1f, 2);
  const auto out_table = bench::normal_values<float>(block * states * channels, 0.0f, 0.1f, 3);
  const auto in_table = bench::normal_values<float>(block * states * channels, 0.0f, 0.01f, 4);
  const auto decay = bench::normal_values<float>(states * states * channels, 0.0f, 0.05f, 5);
  const auto out = bench::allocate<T>(length * channels);
  kernels::StateConvolutionArgs<T> args;
  args.in = in.get();
  args.taps = taps.get();
  args.out_table = out_table.get();
  args.in_table = in_table.get();
  args.decay = decay.get();
  args.out = out.get();
  args.batch = 1;
  args.length = length;
  args.channels = channels;
  args.states = states;
  const double flop = 4.0 * static_cast<double>(length * channels * states);
  bench::run(state, "FLOP/s", flop, bench::fma_flop_per_second(pool),
             [&] { kernels::cpu::state_convolution(pool, args); });
}

template <class T>
void gelu(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto in = bench::normal_values<T>(rows * channels, 0.0f, 1.0f, 1);
  const auto out = bench::allocate<T>(rows * channels);
  const kernels::GeluArgs<T> args{in.get(), out.get(), rows * channels};
  const double bytes = 2.0 * static_cast<double>(rows * channels * std::int64_t{sizeof(T)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::gelu(pool, args); });
}

template <class T>
void glu(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(1)));
  const auto in = bench::normal_values<T>(rows * 2 * channels, 0.0f, 1.0f, 1);
  const auto out = bench::allocate<T>(rows * channels);
  const kernels::GluArgs<T> args{in.get(), out.get(), rows, channels};
  const double bytes = 3.0 * static_cast<double>(rows * channels * std::int64_t{sizeof(T)});
  bench::run(state, "B/s", bytes, bench::copied_bytes_per_second(pool, bytes / 2),
             [&] { kernels::cpu::glu(pool, args); });
}

void sweeps(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"length", "states", "threads"});
  for (const int threads : {1, 2}) {
    bench->Args({4096, 32, threads});
    bench->Args({4096, 64, threads});
  }
  bench->UseRealTime();
}

void elements(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "threads"});
  bench->Args({1024, 1});
  bench->Args({16384, 1});
  bench->UseRealTime();
}

BENCHMARK(diagonal_scan<float>)->Apply(sweeps);
BENCHMARK(diagonal_scan<kernels::bfloat16>)->Apply(sweeps);
BENCHMARK(state_convolution<float>)->Apply(sweeps)->Args({4096, 0, 1});
BENCHMARK(gelu<float>)->Apply(elements);
BENCHMARK(gelu<kernels::bfloat16>)->Apply(elements);
BENCHMARK(glu<float>)->Apply(elements);
BENCHMARK(glu<kernels::bfloat16>)->Apply(elements);

}  // namespace

BENCHMARK_MAIN();
