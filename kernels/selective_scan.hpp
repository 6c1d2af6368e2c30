#pragma once
// The selective scan of Mamba (Gu & Dao 2023, Algorithm 2) with what would cost memory traffic
// around it: skip D, the other direction's sum and the SiLU gate.
//   h[d,n]  = exp(delta[t,d] * A[d,n]) * h[d,n] + delta[t,d] * B[t,n] * x[t,d]
//   y       = sum_n C[t,n] * h[d,n] + D[d] * x[t,d]
//   out     = (y + out if accumulate) * SiLU(gate[t,d])          (gate null: without the factor)
// t runs along the sweep's direction; h starts from state_in or zero. State and sums in f32. Two
// directions that share a gate are summed first and gated once, by the second; y is rounded to T
// before it is added to what was stored, so that either direction may be first.
//
// Shapes: x, gate (batch, length, channels) with strides; delta, the time step after softplus,
// (batch, length, channels) dense; B, C (batch, length, states) f32 with strides; A (channels,
// states) f32, negative; out (batch, length, channels) dense. Carry: state (batch, channels,
// states) f32 dense. state_in and state_out may be the same memory. A call's positions may be cut
// at multiples of tile_length, counted from position 0, each call handing its state on.
// Sequences [0, opposite_from) go in `direction`, the others the opposite way.
// Work: batch * length * channels * states exponentials, the floor on CPU and GPU alike.

#include <cstdint>

#include "kernels/common.hpp"
#include "ssmgen/dtype.hpp"

namespace ssmgen::kernels {

/// Sequences that are swept together.
struct SweepShape {
  Dtype type = Dtype::f32;
  std::int64_t sequences = 0;
  std::int64_t length = 0;
  std::int64_t channels = 0;
  std::int64_t states = 0;
  std::int64_t rank = 0;  ///< of dt, beside which B and C lie
};

template <class T>
struct SelectiveScanArgs {
  const T* x = nullptr;
  std::int64_t x_batch_stride = 0;  ///< elements
  std::int64_t x_row_stride = 0;
  const T* delta = nullptr;
  const float* a = nullptr;
  const float* b = nullptr;
  const float* c = nullptr;
  std::int64_t bc_batch_stride = 0;  ///< elements; b and c share their strides
  std::int64_t bc_row_stride = 0;
  const float* d = nullptr;  ///< (channels) or null
  const T* gate = nullptr;   ///< null: no gate
  std::int64_t gate_batch_stride = 0;
  std::int64_t gate_row_stride = 0;
  const float* state_in = nullptr;
  float* state_out = nullptr;  ///< may be null
  T* out = nullptr;
  bool accumulate = false;
  std::int64_t batch = 0;
  std::int64_t opposite_from = 0;  ///< equal to batch when all go one way
  std::int64_t length = 0;
  /// Positions of the sequence that these are a part of, where they are; the parts' results are
  /// those of the whole only if each says so.
  std::int64_t sequence_length = 0;
  std::int64_t channels = 0;
  std::int64_t states = 16;
  Direction direction = Direction::left_to_right;
};

}  // namespace ssmgen::kernels
