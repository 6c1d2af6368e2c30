// The product against its floor: f32 multiply-adds between registers, twice as many for bf16 where
// the CPU multiplies it. Shapes are the projections of the models: in_proj, x_proj, dt_proj and
// out_proj of d128 (the demo model), d256 and d1024, over 8,192 rows, and a single window.

#include <benchmark/benchmark.h>
#include <cstdint>

#include "bench_values.hpp"
#include "fma_floor.hpp"
#include "kernels/cpu/host_memory.hpp"
#include "kernels/cpu/product.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace {

using namespace ssmgen;

template <class In, class Out>
void product(benchmark::State& state, Dtype in_type, Dtype out_type, bool native_bf16) {
  const std::int64_t rows = state.range(0);
  const std::int64_t inputs = state.range(1);
  const std::int64_t outputs = state.range(2);
  const std::int64_t in_stride = inputs + state.range(3);
  const bool native = native_bf16 && kernels::cpu::has_bf16_products();
  kernels::cpu::ThreadPool pool(static_cast<int>(state.range(4)));
  kernels::cpu::ScratchPool scratch;
  const auto weight = bench::normal_values<float>(outputs * inputs, 0.0f, 0.1f, 1);
  const auto in = bench::normal_values<In>(rows * in_stride, 0.0f, 1.0f, 2);
  const auto out = bench::allocate<Out>(rows * outputs);

  kernels::ProductSpec spec;
  spec.inputs = inputs;
  spec.outputs = outputs;
  spec.in = in_type;
  spec.out = out_type;
  spec.weight = weight.get();
  const auto prepared = kernels::cpu::prepare_product(spec, native, scratch);
  kernels::ProductArgs args;
  args.product = prepared.get();
  args.in = in.get();
  args.out = out.get();
  args.rows = rows;
  args.in_row_stride = in_stride;
  args.out_row_stride = outputs;

  const double flop = 2.0 * static_cast<double>(rows * inputs * outputs);
  const double per_multiply_add = in_type == Dtype::bf16 && native ? 2.0 : 1.0;
  bench::run(state, "FLOP/s", flop, per_multiply_add * bench::fma_flop_per_second(pool),
             [&] { kernels::cpu::product(pool, args); });
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "inputs", "outputs", "in_padding", "threads"});
  for (const int threads : {1, 2}) {
    bench->Args({4096, 256, 1024, 0, threads});
    bench->Args({8192, 512, 48, 0, threads});
    bench->Args({8192, 16, 512, 32, threads});  // dt inside the rows of x_proj's output
    bench->Args({8192, 512, 256, 0, threads});
    bench->Args({8192, 128, 512, 0, threads});
    bench->Args({8192, 256, 40, 0, threads});
    bench->Args({8192, 1024, 4096, 0, threads});
    bench->Args({1024, 128, 512, 0, threads});
  }
  bench->Unit(benchmark::kMicrosecond)->UseRealTime();
}

void product_f32(benchmark::State& state) {
  product<float, float>(state, Dtype::f32, Dtype::f32, true);
}
void product_bf16(benchmark::State& state) {
  product<kernels::bfloat16, kernels::bfloat16>(state, Dtype::bf16, Dtype::bf16, true);
}
void product_bf16_to_f32(benchmark::State& state) {
  product<kernels::bfloat16, float>(state, Dtype::bf16, Dtype::f32, true);
}
void product_bf16_formed_in_f32(benchmark::State& state) {
  product<kernels::bfloat16, kernels::bfloat16>(state, Dtype::bf16, Dtype::bf16, false);
}
BENCHMARK(product_f32)->Apply(shapes);
BENCHMARK(product_bf16)->Apply(shapes);
BENCHMARK(product_bf16_to_f32)->Apply(shapes);
BENCHMARK(product_bf16_formed_in_f32)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
