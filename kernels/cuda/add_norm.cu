// Add + RMSNorm and add + LayerNorm (contract: kernels/add_norm.hpp). A warp a row: the sum goes to
// shared memory, so that the row is read whole before it is written, channels reversed or not.
// Traffic: hidden, residual in and out, out once each.
#include "kernels/cuda/add_norm.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int warp_lanes = 32;
constexpr int block_warps = 4;

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int offset = warp_lanes / 2; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, offset);
  }
  return value;
}

template <class T, class R, bool is_layer_norm>
__global__ void add_norm(const AddNormArgs<T, R> args) {
  extern __shared__ float memory[];
  const int warp = static_cast<int>(threadIdx.x) / warp_lanes;
  const int lane = static_cast<int>(threadIdx.x) % warp_lanes;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * block_warps + warp;
  if (row >= args.rows) return;
  float* sum = memory + warp * args.channels;
  const T* hidden = args.hidden + row * args.channels;
  const R* residual =
      args.residual_in != nullptr ? args.residual_in + row * args.channels : nullptr;
  const std::int64_t last = args.channels - 1;
  float total = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_lanes) {
    const std::int64_t from = args.reverse_channels ? last - c : c;
    const float value =
        to_float(hidden[from]) + (residual != nullptr ? to_float(residual[from]) : 0.0f);
    sum[c] = value;
    total += is_layer_norm ? value : value * value;
  }
  // Also what makes every lane's reads of the row precede every lane's writes to it.
  __syncwarp();
  const auto channels = static_cast<float>(args.channels);
  total = warp_sum(total);
  float mean = 0.0f;
  float scale = 0.0f;
  if (is_layer_norm) {
    mean = total / channels;
    float squares = 0.0f;
    for (std::int64_t c = lane; c < args.channels; c += warp_lanes) {
      squares += (sum[c] - mean) * (sum[c] - mean);
    }
    scale = 1.0f / sqrtf(warp_sum(squares) / channels + args.epsilon);
  } else {
    scale = 1.0f / sqrtf(total / channels + args.epsilon);
  }
  for (std::int64_t c = lane; c < args.channels; c += warp_lanes) {
    const float value = sum[c];
    if (args.residual_out != nullptr) {
      args.residual_out[row * args.channels + c] = from_float<R>(value);
    }
    const float bias = args.bias != nullptr ? args.bias[c] : 0.0f;
    args.out[row * args.channels + c] =
        from_float<T>((value - mean) * scale * args.weight[c] + bias);
  }
}

template <bool is_layer_norm, class T, class R>
void run(cudaStream_t stream, const AddNormArgs<T, R>& args) {
  if (args.rows * args.channels == 0) return;
  const auto bytes =
      static_cast<int>(block_warps * args.channels * static_cast<std::int64_t>(sizeof(float)));
  check(cudaFuncSetAttribute(add_norm<T, R, is_layer_norm>,
                             cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
        "add_norm: shared memory for " + std::to_string(args.channels) + " channels");
  const auto blocks = static_cast<unsigned>((args.rows + block_warps - 1) / block_warps);
  add_norm<T, R, is_layer_norm><<<blocks, block_warps * warp_lanes, bytes, stream>>>(args);
  check_launch("add_norm");
}

}  // namespace

void add_rms_norm(cudaStream_t stream, const AddNormArgs<float, float>& args) {
  run<false>(stream, args);
}
void add_rms_norm(cudaStream_t stream, const AddNormArgs<bfloat16, bfloat16>& args) {
  run<false>(stream, args);
}
void add_rms_norm(cudaStream_t stream, const AddNormArgs<bfloat16, float>& args) {
  run<false>(stream, args);
}
void add_layer_norm(cudaStream_t stream, const AddNormArgs<float, float>& args) {
  run<true>(stream, args);
}
void add_layer_norm(cudaStream_t stream, const AddNormArgs<bfloat16, bfloat16>& args) {
  run<true>(stream, args);
}
void add_layer_norm(cudaStream_t stream, const AddNormArgs<bfloat16, float>& args) {
  run<true>(stream, args);
}

}  // namespace ssmgen::kernels::cuda
