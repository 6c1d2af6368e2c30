#pragma once
// The convolution of a state space model whose state matrix is no diagonal (S4's DPLR form, Gu et
// al. 2021), block by block with the state carried from each to the next. Blocks of
// convolution_block positions are counted from position 0 of the call; within a block t and s count
// in sweep order. With the real state x before the block:
//   y[t] = sum_{s<=t} taps[t-s] * u[s] + sum_j out[t,j] * x[j]      (the first by FFT)
//   x[j] = sum_k decay[j,k] * x[k] + sum_s in[s,j] * u[s]
// For x = A x + B u, y = C x + d u: taps[l] = C A^l B with d at taps[0], out[t] = C A^(t+1),
// in[s] = A^(block-1-s) B, decay = A^block. When y is to see the positions before its own only,
// taps move one place and out[t] = C A^t. The tables are worked out in f64 by whoever fills them.
// y is written to out, or added to it when accumulate.
//
// Shapes: in, out (batch, length, channels) dense; taps (block, channels) f32; out_table and
// in_table (block, states) and decay (states, states) f32 for each channel, stored in panels of 16
// channels: (panels, rows, 16) with the rows of the table flattened and zeros past the last
// channel, so that whoever works on a few channels reads one stretch. Carry: (batch, states,
// channels) f32 dense; state_in and state_out may be the same. A block that the end of the sequence
// cuts counts as filled up with zeros, so where length is no multiple of the block, right_to_left
// starts from no state and left_to_right hands none on. Work: 2 * states multiply-adds a position,
// states^2 / block for the carry, and two FFTs of 2 * block points a block.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

/// Positions of one block; tile_length is a multiple of it.
inline constexpr std::int64_t convolution_block = 256;
static_assert(tile_length % convolution_block == 0);

/// Channels that stand side by side in a table.
inline constexpr std::int64_t convolution_panel = 16;
/// Panels of a table.
constexpr std::int64_t convolution_panels(std::int64_t channels) noexcept {
  return (channels + convolution_panel - 1) / convolution_panel;
}
/// Where a table of `rows` rows has a row of a channel.
constexpr std::int64_t convolution_element(std::int64_t rows, std::int64_t row,
                                           std::int64_t channel) noexcept {
  return (channel / convolution_panel * rows + row) * convolution_panel +
         channel % convolution_panel;
}

template <class T>
struct StateConvolutionArgs {
  const T* in = nullptr;
  const float* taps = nullptr;
  const float* out_table = nullptr;
  const float* in_table = nullptr;
  const float* decay = nullptr;
  const float* state_in = nullptr;  ///< null: zeros
  float* state_out = nullptr;       ///< may be null
  T* out = nullptr;                 ///< not `in`
  bool accumulate = false;
  std::int64_t batch = 0;
  std::int64_t length = 0;
  std::int64_t channels = 0;
  std::int64_t states = 0;  ///< real ones
  Direction direction = Direction::left_to_right;
};

}  // namespace ssmgen::kernels
