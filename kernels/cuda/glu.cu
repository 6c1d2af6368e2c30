// out = a * sigmoid(b) (contract: kernels/glu.hpp).
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/glu.hpp"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
__global__ void apply(const GluArgs<T> args) {
  const std::int64_t count = args.rows * args.channels;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += step) {
    const T* row = args.in + i / args.channels * 2 * args.channels;
    const std::int64_t channel = i % args.channels;
    const float a = to_float(row[channel]);
    const float b = to_float(row[args.channels + channel]);
    // e of the smaller side never overflows.
    const float e = expf(-fabsf(b));
    args.out[i] = from_float<T>(a * (b >= 0.0f ? 1.0f : e) / (1.0f + e));
  }
}

template <class T>
void run(cudaStream_t stream, const GluArgs<T>& args) {
  if (args.rows * args.channels == 0) return;
  apply<T><<<grid_of(args.rows * args.channels), threads_of_grid, 0, stream>>>(args);
  check_launch("glu");
}

}  // namespace

void glu(cudaStream_t stream, const GluArgs<float>& args) {
  run(stream, args);
}
void glu(cudaStream_t stream, const GluArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
