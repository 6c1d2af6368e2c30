// out = x * Phi(x) (contract: kernels/gelu.hpp).
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/gelu.hpp"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
__global__ void apply(const GeluArgs<T> args) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
       i < args.count; i += step) {
    const float x = to_float(args.in[i]);
    args.out[i] = from_float<T>(x * normcdff(x));
  }
}

template <class T>
void run(cudaStream_t stream, const GeluArgs<T>& args) {
  if (args.count == 0) return;
  apply<T><<<grid_of(args.count), threads_of_grid, 0, stream>>>(args);
  check_launch("gelu");
}

}  // namespace

void gelu(cudaStream_t stream, const GeluArgs<float>& args) {
  run(stream, args);
}
void gelu(cudaStream_t stream, const GeluArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
