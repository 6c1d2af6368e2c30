#pragma once
// Depthwise causal convolution of width K and SiLU, along the sweep's direction:
//   pre[t] = bias + sum_k weight[k] * in[t - (K-1) + k]        left_to_right
//   pre[t] = bias + sum_k weight[k] * in[t + (K-1) - k]        right_to_left
//   out[t] = pre[t] * sigmoid(pre[t])
// with the carried inputs, or zeros, before the sweep's start.
//
// Shapes: in (batch, length, channels) with strides; out (batch, length, channels) dense;
// weight (channels, K) dense f32; bias (channels) f32 or null.
// Carry: the last K-1 inputs in sweep order, oldest first, f32 (batch, K-1, channels) dense.
// carry_in null means zeros. carry_in and carry_out may be the same memory.
// Sequences [0, opposite_from) go in `direction`, the others the opposite way, so that both
// strands are one batch. Traffic: 2 T per element; bound by memory.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct CausalConvArgs {
  const T* in = nullptr;
  std::int64_t in_batch_stride = 0;  ///< elements
  std::int64_t in_row_stride = 0;    ///< elements, at least channels
  const float* weight = nullptr;
  const float* bias = nullptr;
  const float* carry_in = nullptr;
  float* carry_out = nullptr;  ///< may be null
  T* out = nullptr;
  std::int64_t batch = 0;
  std::int64_t opposite_from = 0;  ///< equal to batch when all go one way
  std::int64_t length = 0;
  std::int64_t channels = 0;
  std::int64_t width = 4;  ///< K, 1 to 16
  Direction direction = Direction::left_to_right;
};

}  // namespace ssmgen::kernels
