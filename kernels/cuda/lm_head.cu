// The LM head of one or two strands (contract: kernels/lm_head.hpp). A warp a row: each lane sums
// its channels for sixteen tokens at a time, then the warp adds up; the order of the sums is fixed
// by the number of channels alone.
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/lm_head.hpp"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int warp_lanes = 32;
constexpr int block_warps = 4;
constexpr int tokens = 16;

template <class T>
__global__ void head(const LmHeadArgs<T> args) {
  const std::int64_t row =
      static_cast<std::int64_t>(blockIdx.x) * block_warps + threadIdx.x / warp_lanes;
  if (row >= args.rows) return;
  const int lane = threadIdx.x % warp_lanes;
  const T* plus = args.plus + row * args.channels;
  const T* minus = args.minus != nullptr ? args.minus + row * args.channels : nullptr;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * tokens; first < args.vocabulary;
       first += static_cast<std::int64_t>(gridDim.y) * tokens) {
    float sum[tokens] = {};
    for (std::int64_t c = lane; c < args.channels; c += warp_lanes) {
      const float p = to_float(plus[c]);
      const float m = minus != nullptr ? to_float(minus[c]) : 0.0f;
#pragma unroll
      for (int v = 0; v < tokens; ++v) {
        if (first + v >= args.vocabulary) continue;
        sum[v] = fmaf(p, args.weight[(first + v) * args.channels + c], sum[v]);
        if (minus != nullptr) {
          sum[v] = fmaf(m, args.weight[args.complement[first + v] * args.channels + c], sum[v]);
        }
      }
    }
#pragma unroll
    for (int v = 0; v < tokens; ++v) {
#pragma unroll
      for (int offset = warp_lanes / 2; offset > 0; offset /= 2) {
        sum[v] += __shfl_xor_sync(0xffffffffu, sum[v], offset);
      }
      if (lane == 0 && first + v < args.vocabulary) {
        args.logits[row * args.vocabulary + first + v] = sum[v];
      }
    }
  }
}

template <class T>
void run(cudaStream_t stream, const LmHeadArgs<T>& args) {
  if (args.rows == 0) return;
  constexpr std::int64_t most_token_blocks = 64;
  const std::int64_t token_blocks = (args.vocabulary + tokens - 1) / tokens;
  const dim3 grid(
      static_cast<unsigned>((args.rows + block_warps - 1) / block_warps),
      static_cast<unsigned>(token_blocks < most_token_blocks ? token_blocks : most_token_blocks));
  head<T><<<grid, block_warps * warp_lanes, 0, stream>>>(args);
  check_launch("lm_head");
}

}  // namespace

void lm_head(cudaStream_t stream, const LmHeadArgs<float>& args) {
  run(stream, args);
}
void lm_head(cudaStream_t stream, const LmHeadArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
