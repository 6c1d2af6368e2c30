// Add + RMSNorm and add + LayerNorm (contract: kernels/add_norm.hpp). A warp a row. Where rows are
// whole vectors and not too long, a lane has eight channels at a time in registers; else the sum
// goes to shared memory. Either way a row is read whole before it is written, reversed or not, and
// its sum is rounded to the residual's type before it is normed.
// Traffic: hidden, residual in and out, out once each.
#include "kernels/cuda/add_norm.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int warp_lanes = 32;
constexpr int block_warps = 4;
// What an absent summand is: it leaves the other's bits, those of a zero too.
constexpr float nothing = -0.0f;

// 1 / sqrt(x), relative error 2^-22.9, for x that is not subnormal.
__device__ __forceinline__ float inverse_root(float x) {
  float result;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

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
  const T* hidden = args.hidden != nullptr ? args.hidden + row * args.channels : nullptr;
  const R* residual =
      args.residual_in != nullptr ? args.residual_in + row * args.channels : nullptr;
  const std::int64_t last = args.channels - 1;
  float total = 0.0f;
  for (std::int64_t c = lane; c < args.channels; c += warp_lanes) {
    const std::int64_t from = args.reverse_channels ? last - c : c;
    const float own = hidden != nullptr ? to_float(hidden[from]) : nothing;
    const float kept = residual != nullptr ? to_float(residual[from]) : nothing;
    const float value = to_float(from_float<R>(own + kept));
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
    scale = inverse_root(warp_sum(squares) / channels + args.epsilon);
  } else {
    scale = inverse_root(total / channels + args.epsilon);
  }
  for (std::int64_t c = lane; c < args.channels; c += warp_lanes) {
    const float value = sum[c];
    if (args.residual_out != nullptr) {
      args.residual_out[row * args.channels + c] = from_float<R>(value);
    }
    if (args.out == nullptr) continue;
    const float bias = args.bias != nullptr ? args.bias[c] : 0.0f;
    args.out[row * args.channels + c] =
        from_float<T>((value - mean) * scale * args.weight[c] + bias);
  }
}

constexpr int lane_channels = 8;
constexpr int most_parts = 4;  // of a row that stays in registers, 256 channels each

__device__ __forceinline__ void load_channels(const float* from, float (&to)[lane_channels]) {
  load_vector(from, reinterpret_cast<float(&)[4]>(to[0]));
  load_vector(from + 4, reinterpret_cast<float(&)[4]>(to[4]));
}
__device__ __forceinline__ void load_channels(const bfloat16* from, float (&to)[lane_channels]) {
  load_vector(from, to);
}
__device__ __forceinline__ void store_channels(const float (&from)[lane_channels], float* to) {
  store_vector(reinterpret_cast<const float(&)[4]>(from[0]), to);
  store_vector(reinterpret_cast<const float(&)[4]>(from[4]), to + 4);
}
__device__ __forceinline__ void store_channels(const float (&from)[lane_channels], bfloat16* to) {
  store_vector(from, to);
}

template <class T, class R, bool is_layer_norm, int parts>
__global__ void __launch_bounds__(block_warps* warp_lanes)
    add_norm_vectors(const AddNormArgs<T, R> args) {
  const int warp = static_cast<int>(threadIdx.x) / warp_lanes;
  const int lane = static_cast<int>(threadIdx.x) % warp_lanes;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * block_warps + warp;
  if (row >= args.rows) return;
  const int channels = static_cast<int>(args.channels);
  const T* hidden = args.hidden != nullptr ? args.hidden + row * args.channels : nullptr;
  const R* residual =
      args.residual_in != nullptr ? args.residual_in + row * args.channels : nullptr;
  float sum[parts][lane_channels];
  float total = 0.0f;
#pragma unroll
  for (int part = 0; part < parts; ++part) {
    const int channel = (part * warp_lanes + lane) * lane_channels;
#pragma unroll
    for (int j = 0; j < lane_channels; ++j) sum[part][j] = 0.0f;
    if (channel >= channels) continue;
    const int from = args.reverse_channels ? channels - lane_channels - channel : channel;
    float own[lane_channels];
    float kept[lane_channels];
#pragma unroll
    for (int j = 0; j < lane_channels; ++j) own[j] = kept[j] = nothing;
    if (hidden != nullptr) load_channels(hidden + from, own);
    if (residual != nullptr) load_channels(residual + from, kept);
#pragma unroll
    for (int j = 0; j < lane_channels; ++j) {
      const float forward = own[j] + kept[j];
      const float backward = own[lane_channels - 1 - j] + kept[lane_channels - 1 - j];
      sum[part][j] = args.reverse_channels ? backward : forward;
    }
#pragma unroll
    for (int j = 0; j < lane_channels; j += 2) {
      round_pair<R>(reinterpret_cast<float(&)[2]>(sum[part][j]));
    }
#pragma unroll
    for (int j = 0; j < lane_channels; ++j) {
      total += is_layer_norm ? sum[part][j] : sum[part][j] * sum[part][j];
    }
  }
  const float share = reciprocal_fast(static_cast<float>(channels));
  total = warp_sum(total) * share;
  const float mean = is_layer_norm ? total : 0.0f;
  if (is_layer_norm) {
    total = 0.0f;
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      if ((part * warp_lanes + lane) * lane_channels >= channels) continue;
#pragma unroll
      for (int j = 0; j < lane_channels; ++j) {
        total += (sum[part][j] - mean) * (sum[part][j] - mean);
      }
    }
    total = warp_sum(total) * share;
  }
  const float scale = inverse_root(total + args.epsilon);
#pragma unroll
  for (int part = 0; part < parts; ++part) {
    const int channel = (part * warp_lanes + lane) * lane_channels;
    if (channel >= channels) continue;
    if (args.residual_out != nullptr) {
      store_channels(sum[part], args.residual_out + row * args.channels + channel);
    }
    if (args.out == nullptr) continue;
    float weight[lane_channels];
    float bias[lane_channels] = {};
    load_channels(args.weight + channel, weight);
    if (args.bias != nullptr) load_channels(args.bias + channel, bias);
    float out[lane_channels];
#pragma unroll
    for (int j = 0; j < lane_channels; ++j) {
      out[j] = (sum[part][j] - mean) * scale * weight[j] + bias[j];
    }
    store_channels(out, args.out + row * args.channels + channel);
  }
}

template <bool is_layer_norm, int parts, class T, class R>
void run_vectors(cudaStream_t stream, const AddNormArgs<T, R>& args, unsigned blocks) {
  if constexpr (parts <= most_parts) {
    if (args.channels > parts * warp_lanes * lane_channels) {
      return run_vectors<is_layer_norm, parts + 1>(stream, args, blocks);
    }
    add_norm_vectors<T, R, is_layer_norm, parts>
        <<<blocks, block_warps * warp_lanes, 0, stream>>>(args);
  }
}

template <bool is_layer_norm, class T, class R>
void run(cudaStream_t stream, const AddNormArgs<T, R>& args) {
  if (args.rows * args.channels == 0) return;
  const auto blocks = static_cast<unsigned>((args.rows + block_warps - 1) / block_warps);
  const auto is_aligned = [](const auto* data) { return is_vector_aligned(data, 0); };
  if (args.channels % lane_channels == 0 &&
      args.channels <= most_parts * warp_lanes * lane_channels && is_aligned(args.hidden) &&
      is_aligned(args.residual_in) && is_aligned(args.residual_out) && is_aligned(args.out) &&
      is_aligned(args.weight) && is_aligned(args.bias)) {
    run_vectors<is_layer_norm, 1>(stream, args, blocks);
  } else {
    const auto kernel = add_norm<T, R, is_layer_norm>;
    const std::size_t bytes = block_warps * static_cast<std::size_t>(args.channels) * sizeof(float);
    allow_shared_memory(kernel, bytes,
                        "add_norm of " + std::to_string(args.channels) + " channels");
    kernel<<<blocks, block_warps * warp_lanes, bytes, stream>>>(args);
  }
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
