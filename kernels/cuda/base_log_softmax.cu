// Log-probabilities over the four bases (contract: kernels/base_log_softmax.hpp). A thread a row.
#include "kernels/cuda/base_log_softmax.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {
namespace {

__global__ void log_softmax(const BaseLogSoftmaxArgs args, const int4 bases) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
       row < args.rows; row += step) {
    const float* logits = args.logits + row * args.vocabulary;
    const int base_ids[4] = {bases.x, bases.y, bases.z, bases.w};
    float value[4];
    float most = -INFINITY;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      value[i] = logits[base_ids[i]];
      most = fmaxf(most, value[i]);
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; ++i) sum += expf(value[i] - most);
    const float log_sum = logf(sum);
#pragma unroll
    for (int i = 0; i < 4; ++i) args.out[row * 4 + i] = value[i] - most - log_sum;
  }
}

}  // namespace

void base_log_softmax(cudaStream_t stream, const BaseLogSoftmaxArgs& args) {
  if (args.rows == 0) return;
  log_softmax<<<grid_of(args.rows), threads_of_grid, 0, stream>>>(
      args, make_int4(args.base_ids[0], args.base_ids[1], args.base_ids[2], args.base_ids[3]));
  check_launch("base_log_softmax");
}

}  // namespace ssmgen::kernels::cuda
