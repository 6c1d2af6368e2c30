// The causal depthwise convolution with SiLU on the CPU.
//   pre = bias + sum_k weight[k] * in[K-1 positions back .. here],  out = pre * sigmoid(pre)
//
// Lanes are channels. An output needs its K inputs and nothing else, so a task is a block of 64
// positions of one sequence, all channels: it goes through them a vector at a time, which reads
// and writes each row of the block in one stretch. The inputs of one vector, and the K-1 before
// the block, are staged as f32 in L1 (5 KB), which frees the arithmetic of strides, types, sweep
// direction and the carry. The carry is written when every task has read the one that came in.
// Traffic: in once, out once.

#include "kernels/cpu/causal_conv.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "ssmgen/errors.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/causal_conv.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t block_length = 64;
constexpr std::int64_t max_width = 16;

// One block of one vector of channels in sweep order, the K-1 inputs before it first.
struct Stage {
  alignas(64) float in[(max_width - 1 + block_length) * lanes];
  alignas(64) float weight[max_width * lanes];
};

template <class T>
std::int64_t position(const CausalConvArgs<T>& args, std::int64_t sequence, std::int64_t step) {
  const Direction direction =
      sequence < args.opposite_from ? args.direction : opposite(args.direction);
  return direction == Direction::left_to_right ? step : args.length - 1 - step;
}

// The input at a step of the sweep; the steps before 0 are the carried ones.
template <class T>
FloatVector load_input(const CausalConvArgs<T>& args, std::int64_t sequence, std::int64_t step,
                       std::int64_t channel, std::int64_t count) {
  if (step >= 0) {
    const std::int64_t row = position(args, sequence, step) * args.in_row_stride;
    return load_channels(args.in + sequence * args.in_batch_stride + row + channel, count);
  }
  if (args.carry_in == nullptr) return hn::Zero(FloatTag());
  const std::int64_t row = (sequence + 1) * (args.width - 1) + step;
  return load_channels(args.carry_in + row * args.channels + channel, count);
}

template <class T>
void load_weights(const CausalConvArgs<T>& args, std::int64_t channel, std::int64_t count,
                  Stage& stage) {
  std::fill_n(stage.weight, args.width * lanes, 0.0f);
  for (std::int64_t lane = 0; lane < count; ++lane) {
    const float* weight = args.weight + (channel + lane) * args.width;
    for (std::int64_t k = 0; k < args.width; ++k) stage.weight[k * lanes + lane] = weight[k];
  }
}

// The width is known when compiled (fixed_width), or args.width where that is 0.
template <int fixed_width, class T>
void convolve_block(const CausalConvArgs<T>& args, std::int64_t sequence, std::int64_t begin) {
  const FloatTag d;
  const std::int64_t width = fixed_width > 0 ? fixed_width : args.width;
  const std::int64_t carried = width - 1;
  const std::int64_t positions = std::min(block_length, args.length - begin);
  const std::int64_t first = position(args, sequence, begin);
  const std::int64_t step = position(args, sequence, begin + 1) - first;
  Stage stage;
  for (std::int64_t channel = 0; channel < args.channels; channel += lanes) {
    const std::int64_t count = std::min(lanes, args.channels - channel);
    load_weights(args, channel, count, stage);
    const FloatVector bias =
        args.bias == nullptr ? hn::Zero(d) : load_channels(args.bias + channel, count);
    for (std::int64_t s = 0; s < carried; ++s) {
      const FloatVector before = load_input(args, sequence, begin - carried + s, channel, count);
      hn::Store(before, d, stage.in + s * lanes);
    }
    const T* in = args.in + sequence * args.in_batch_stride + first * args.in_row_stride + channel;
    for (std::int64_t s = 0; s < positions; ++s) {
      hn::Store(load_channels(in, count), d, stage.in + (carried + s) * lanes);
      in += step * args.in_row_stride;
    }
    FloatVector weight[fixed_width + 1];  // in registers where their number is known
    for (int k = 0; k < fixed_width; ++k) weight[k] = hn::Load(d, stage.weight + k * lanes);
    // Two loops: the sum and the SiLU in one are a chain too long to overlap with the next ones.
    for (std::int64_t s = 0; s < positions; ++s) {
      FloatVector pre = bias;
      for (std::int64_t k = 0; k < width; ++k) {
        const FloatVector w = fixed_width > 0 ? weight[k] : hn::Load(d, stage.weight + k * lanes);
        pre = hn::MulAdd(w, hn::Load(d, stage.in + (s + k) * lanes), pre);
      }
      hn::Store(pre, d, stage.in + s * lanes);  // in[s] is read for the last time here
    }
    T* out = args.out + (sequence * args.length + first) * args.channels + channel;
    for (std::int64_t s = 0; s < positions; ++s) {
      store_channels(silu(d, hn::Load(d, stage.in + s * lanes)), out, count);
      out += step * args.channels;
    }
  }
}

// Row k of the carry out is step length - (K-1) + k, which stands in the carry in, further on,
// when the sequence is shorter than K-1: rising k makes it safe in place.
template <class T>
void store_carry(const CausalConvArgs<T>& args, std::int64_t sequence) {
  const std::int64_t carried = args.width - 1;
  for (std::int64_t k = 0; k < carried; ++k) {
    float* out = args.carry_out + (sequence * carried + k) * args.channels;
    for (std::int64_t channel = 0; channel < args.channels; channel += lanes) {
      const std::int64_t count = std::min(lanes, args.channels - channel);
      const FloatVector in = load_input(args, sequence, args.length - carried + k, channel, count);
      store_channels(in, out + channel, count);
    }
  }
}

template <class T>
void convolve(ThreadPool& pool, const CausalConvArgs<T>& args) {
  const std::int64_t blocks = (args.length + block_length - 1) / block_length;
  pool.parallel_for(args.batch * blocks, [&args, blocks](std::int64_t task) {
    const std::int64_t begin = task % blocks * block_length;
    if (args.width == 4) {
      convolve_block<4>(args, task / blocks, begin);
    } else {
      convolve_block<0>(args, task / blocks, begin);
    }
  });
  if (args.carry_out == nullptr) return;
  pool.parallel_for(args.batch, [&args](std::int64_t sequence) { store_carry(args, sequence); });
}

void convolve_f32(ThreadPool& pool, const CausalConvArgs<float>& args) {
  convolve(pool, args);
}
void convolve_bf16(ThreadPool& pool, const CausalConvArgs<bfloat16>& args) {
  convolve(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(convolve_f32);
HWY_EXPORT(convolve_bf16);

void check_width(std::int64_t width) {
  if (width >= 1 && width <= 16) return;
  throw InvalidArgument("causal_conv: the width must be 1 to 16, got " + std::to_string(width) +
                        "; see d_conv in config.json");
}

}  // namespace

void causal_conv(ThreadPool& pool, const CausalConvArgs<float>& args) {
  check_width(args.width);
  HWY_DYNAMIC_DISPATCH(convolve_f32)(pool, args);
}

void causal_conv(ThreadPool& pool, const CausalConvArgs<bfloat16>& args) {
  check_width(args.width);
  HWY_DYNAMIC_DISPATCH(convolve_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
