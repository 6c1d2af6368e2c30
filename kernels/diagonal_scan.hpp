#pragma once
// The scan of a diagonal state space model that does not change with time (S4D, Gu et al. 2022).
// Positions go in groups of four, counted from position 0 of the call; within a group i and j count
// in sweep order. With the complex state x[n] before the group:
//   y[i] = sum_n Re(out[n,i] * x[n]) + sum_{j<=i} taps[i-j] * u[j]
//   x[n] = x[n] + growth[n] * x[n] + u[3] + sum_{j<3} in[n,j] * u[j]
// For a recurrence x = a x + u, y = 2 Re(c x) + d u this is growth = a^4 - 1, in[j] = a^(3-j),
// out[i] = 2 c a^(i+1), taps = 2 Re(c a^j) and d at taps[0]; when y is to see the positions before
// its own only, out[i] = 2 c a^i and taps move one place. a^4 - 1 in place of a^4 keeps the digits
// of a slow decay; powers and taps are worked out in f64 by whoever fills the tables.
// y is written to out, or added to it when accumulate.
//
// Shapes: in, out (batch, length, channels) dense; tables f32 with channels innermost: coefficients
// (states, 16, channels), rows as named by DiagonalScanRow; taps (4, channels); tile_decay
// (states, 2, channels): a^tile_length, real and imaginary.
// Carry: (batch, states, 2, channels) f32 dense; state_in and state_out may be the same memory.
// Every tile of tile_length positions, counted from position 0, hands its state on in sweep order;
// a back end may scan the tiles side by side and join them with tile_decay.
// A group that the end of the sequence cuts counts as filled up with zeros, so where length is no
// multiple of four, right_to_left starts from no state and left_to_right hands none on.
// Work: 20 multiply-adds a state and group on the CPU, 12 more where tiles go side by side.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

/// Positions of one group.
inline constexpr std::int64_t diagonal_scan_group = 4;

/// Rows of the table `coefficients`; the four of an `out` part stand in a row, the three of `in`
/// too. Imaginary parts of `out` are stored negated, so that all sums are of products.
enum DiagonalScanRow : std::uint8_t {
  out_real = 0,
  out_imaginary = 4,
  growth_real = 8,
  growth_imaginary = 9,
  in_real = 10,
  in_imaginary = 13,
  diagonal_scan_rows = 16
};

template <class T>
struct DiagonalScanArgs {
  const T* in = nullptr;
  const float* coefficients = nullptr;
  const float* taps = nullptr;
  const float* tile_decay = nullptr;
  const float* state_in = nullptr;  ///< null: zeros
  float* state_out = nullptr;       ///< may be null
  T* out = nullptr;                 ///< not `in`
  bool accumulate = false;
  std::int64_t batch = 0;
  std::int64_t length = 0;
  std::int64_t channels = 0;
  std::int64_t states = 0;  ///< complex ones, each with its conjugate
  Direction direction = Direction::left_to_right;
};

}  // namespace ssmgen::kernels
