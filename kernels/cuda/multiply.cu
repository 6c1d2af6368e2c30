// out[i] = a[i] * b[i] in f32 (contract: kernels/multiply.hpp).
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/multiply.hpp"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
__global__ void multiply_all(const MultiplyArgs<T> args) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
       i < args.count; i += step) {
    args.out[i] = from_float<T>(to_float(args.a[i]) * to_float(args.b[i]));
  }
}

template <class T>
void run(cudaStream_t stream, const MultiplyArgs<T>& args) {
  if (args.count == 0) return;
  multiply_all<T><<<grid_of(args.count), threads_of_grid, 0, stream>>>(args);
  check_launch("multiply");
}

}  // namespace

void multiply(cudaStream_t stream, const MultiplyArgs<float>& args) {
  run(stream, args);
}
void multiply(cudaStream_t stream, const MultiplyArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
