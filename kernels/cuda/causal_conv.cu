// Depthwise causal convolution + SiLU (contract: kernels/causal_conv.hpp). A thread slides over
// some positions of its channels with the last inputs in registers, so that every input is read
// once; channels lie along the warp.
#include "kernels/cuda/causal_conv.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int block_threads = 128;
constexpr int positions = 64;  // a thread slides over

// The input `back` positions before step 0 of the sweep or at step `step` >= 0.
template <class T>
__device__ __forceinline__ float input_at(const CausalConvArgs<T>& args, std::int64_t batch,
                                          std::int64_t step, std::int64_t channel, bool leftwards) {
  if (step >= 0) {
    const std::int64_t t = leftwards ? args.length - 1 - step : step;
    return to_float(args.in[batch * args.in_batch_stride + t * args.in_row_stride + channel]);
  }
  if (args.carry_in == nullptr) return 0.0f;
  const std::int64_t slot = args.width - 1 + step;  // oldest first
  return args.carry_in[(batch * (args.width - 1) + slot) * args.channels + channel];
}

template <class T>
__device__ bool is_leftwards(const CausalConvArgs<T>& args, std::int64_t batch) {
  return (args.direction == Direction::right_to_left) != (batch >= args.opposite_from);
}

template <class T, int width>
__global__ void convolve(const CausalConvArgs<T> args, std::int64_t channel_blocks) {
  const std::int64_t channel = blockIdx.x % channel_blocks * block_threads + threadIdx.x;
  if (channel >= args.channels) return;
  const std::int64_t first = blockIdx.x / channel_blocks * positions;
  const std::int64_t batch = blockIdx.y;
  const bool leftwards = is_leftwards(args, batch);
  const float bias = args.bias != nullptr ? args.bias[channel] : 0.0f;
  float weight[width];
  float window[width];  // oldest first; the newest is put in at each step
#pragma unroll
  for (int k = 0; k < width; ++k) {
    weight[k] = args.weight[channel * width + k];
    window[k] = k == 0 ? 0.0f : input_at(args, batch, first - width + k, channel, leftwards);
  }
  const std::int64_t left = args.length - first;
  const int count = left < positions ? static_cast<int>(left) : positions;
#pragma unroll 4
  for (int i = 0; i < count; ++i) {
#pragma unroll
    for (int k = 0; k + 1 < width; ++k) window[k] = window[k + 1];
    window[width - 1] = input_at(args, batch, first + i, channel, leftwards);
    float sum = bias;
#pragma unroll
    for (int k = 0; k < width; ++k) sum = fmaf(weight[k], window[k], sum);
    const std::int64_t t = leftwards ? args.length - 1 - (first + i) : first + i;
    args.out[(batch * args.length + t) * args.channels + channel] = from_float<T>(silu(sum));
  }
}

// Sixteen bytes as memory has them: a conversion would wait for its load.
template <class T>
__device__ __forceinline__ void widen(const uint4& bits, float (&to)[vector_elements<T>]) {
  const std::uint32_t words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (sizeof(T) == 4) {
      to[i] = __uint_as_float(words[i]);
    } else {
      widen_pair(words[i], reinterpret_cast<float(&)[2]>(to[2 * i]));
    }
  }
}

// The same for the published width 4, sixteen bytes of channels a thread: the next four inputs are
// on their way while four are worked on.
template <class T>
__global__ void __launch_bounds__(block_threads)
    convolve_vectors(const CausalConvArgs<T> args, int channel_blocks) {
  constexpr int width = 4;
  constexpr int lanes = vector_elements<T>;
  constexpr int ahead = 4;
  static_assert(positions % ahead == 0);
  const int block = static_cast<int>(blockIdx.x) / channel_blocks;
  const int channel_block = static_cast<int>(blockIdx.x) - block * channel_blocks;
  const std::int64_t channel =
      (static_cast<std::int64_t>(channel_block) * block_threads + threadIdx.x) * lanes;
  if (channel >= args.channels) return;
  const std::int64_t first = static_cast<std::int64_t>(block) * positions;
  const std::int64_t batch = blockIdx.y;
  const bool leftwards = is_leftwards(args, batch);
  const std::int64_t left = args.length - first;
  const int count = left < positions ? static_cast<int>(left) : positions;
  const std::int64_t start = leftwards ? args.length - 1 - first : first;
  const std::int64_t in_step = leftwards ? -args.in_row_stride : args.in_row_stride;
  const std::int64_t out_step = leftwards ? -args.channels : args.channels;
  const T* in = args.in + batch * args.in_batch_stride + start * args.in_row_stride + channel;
  T* out = args.out + (batch * args.length + start) * args.channels + channel;
  uint4 next[ahead];
#pragma unroll
  for (int i = 0; i < ahead; ++i) {
    if (i < count) next[i] = *reinterpret_cast<const uint4*>(in + i * in_step);
  }
  float weight[width][lanes];
  float bias[lanes];
  float window[width][lanes];
#pragma unroll
  for (int j = 0; j < lanes; ++j) {
    bias[j] = args.bias != nullptr ? args.bias[channel + j] : 0.0f;
#pragma unroll
    for (int k = 0; k < width; ++k) {
      weight[k][j] = args.weight[(channel + j) * width + k];
      window[k][j] =
          k == 0 ? 0.0f : input_at(args, batch, first - width + k, channel + j, leftwards);
    }
  }
  for (int begin = 0; begin < count; begin += ahead) {
    uint4 now[ahead];
#pragma unroll
    for (int i = 0; i < ahead; ++i) {
      now[i] = next[i];
      in += in_step;
      if (begin + ahead + i < count) {
        next[i] = *reinterpret_cast<const uint4*>(in + (ahead - 1) * in_step);
      }
    }
#pragma unroll
    for (int i = 0; i < ahead; ++i) {
      if (begin + i >= count) break;
      float value[lanes];
      widen<T>(now[i], value);
      float y[lanes];
#pragma unroll
      for (int j = 0; j < lanes; ++j) {
#pragma unroll
        for (int k = 0; k + 1 < width; ++k) window[k][j] = window[k + 1][j];
        window[width - 1][j] = value[j];
        float sum = bias[j];
#pragma unroll
        for (int k = 0; k < width; ++k) sum = fmaf(weight[k][j], window[k][j], sum);
        y[j] = silu(sum);
      }
      store_vector(y, out);
      out += out_step;
    }
  }
}

// The last width-1 inputs of each sweep. A thread has one channel, so that carry_out may be
// carry_in: all are read before any is written.
template <class T, int width>
__global__ void keep_tail(const CausalConvArgs<T> args) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= args.batch * args.channels) return;
  const std::int64_t batch = i / args.channels;
  const std::int64_t channel = i % args.channels;
  const bool leftwards = is_leftwards(args, batch);
  float tail[width];
#pragma unroll
  for (int k = 0; k + 1 < width; ++k) {
    tail[k] = input_at(args, batch, args.length - width + 1 + k, channel, leftwards);
  }
#pragma unroll
  for (int k = 0; k + 1 < width; ++k) {
    args.carry_out[(batch * (width - 1) + k) * args.channels + channel] = tail[k];
  }
}

template <class T, int width>
void launch_keep_tail(cudaStream_t stream, const CausalConvArgs<T>& args) {
  keep_tail<T, width><<<grid_of(args.batch * args.channels), threads_of_grid, 0, stream>>>(args);
  check_launch("causal_conv: carry");
}

template <class T, int width>
void run_width(cudaStream_t stream, const CausalConvArgs<T>& args) {
  const std::int64_t strips = (args.length + positions - 1) / positions;
  const bool vectors = width == 4 && args.channels % vector_elements<T> == 0 &&
                       is_vector_aligned(args.in, args.in_row_stride) &&
                       is_vector_aligned(args.out, args.channels) &&
                       args.in_batch_stride * static_cast<std::int64_t>(sizeof(T)) % 16 == 0;
  const std::int64_t block_channels = block_threads * (vectors ? vector_elements<T> : 1);
  const std::int64_t channel_blocks = (args.channels + block_channels - 1) / block_channels;
  const dim3 grid(static_cast<unsigned>(channel_blocks * strips),
                  static_cast<unsigned>(args.batch));
  if (vectors) {
    convolve_vectors<T><<<grid, block_threads, 0, stream>>>(args, static_cast<int>(channel_blocks));
  } else {
    convolve<T, width><<<grid, block_threads, 0, stream>>>(args, channel_blocks);
  }
  check_launch("causal_conv");
  if (args.carry_out == nullptr || width == 1) return;
  launch_keep_tail<T, width>(stream, args);
}

template <class T, int width>
void run_up_to(cudaStream_t stream, const CausalConvArgs<T>& args) {
  if (args.width == width) return run_width<T, width>(stream, args);
  if constexpr (width > 1) run_up_to<T, width - 1>(stream, args);
}

template <class T>
void run(cudaStream_t stream, const CausalConvArgs<T>& args) {
  if (args.batch == 0 || args.length == 0 || args.channels == 0) return;
  constexpr std::int64_t most_batches = 65535;  // of a grid's second axis
  const std::int64_t of_carry = (args.width - 1) * args.channels;
  for (std::int64_t first = 0; first < args.batch; first += most_batches) {
    CausalConvArgs<T> part = args;
    part.batch = args.batch - first < most_batches ? args.batch - first : most_batches;
    part.opposite_from = args.opposite_from - first;
    part.in += first * args.in_batch_stride;
    part.out += first * args.length * args.channels;
    if (part.carry_in != nullptr) part.carry_in += first * of_carry;
    if (part.carry_out != nullptr) part.carry_out += first * of_carry;
    run_up_to<T, 16>(stream, part);
  }
}

}  // namespace

void causal_conv(cudaStream_t stream, const CausalConvArgs<float>& args) {
  run(stream, args);
}
void causal_conv(cudaStream_t stream, const CausalConvArgs<bfloat16>& args) {
  run(stream, args);
}

void keep_last_inputs(cudaStream_t stream, const CausalConvArgs<bfloat16>& args) {
  launch_keep_tail<bfloat16, 4>(stream, args);
}

}  // namespace ssmgen::kernels::cuda
