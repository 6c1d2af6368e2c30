#pragma once
// What the selective scan of a Mamba mixer reads, from what enters the mixer (Gu & Dao 2023,
// section 3.4), in one go where a back end can:
//   u     = SiLU(conv(x))                             causal_conv.hpp
//   p     = x_proj . u, of which the last 2 * states columns are B and C
//   delta = softplus(dt_proj . p[: rank] + dt_bias)   product.hpp
// u and delta are rounded to bf16, p is f32. A row's results do not depend on batch, length or
// where a sequence is cut. The naive version is that of the three parts.
//
// Shapes: x (batch, length, channels) with strides; u and delta (batch, length, channels) dense; p
// (batch, length, rank + 2 * states) f32 dense, of which the first `rank` columns may be left as
// they are. Carry as in causal_conv.hpp. Traffic: 6 + 8 * states / channels bytes an element;
// bound by memory.

#include <cstdint>

#include "kernels/common.hpp"
#include "ssmgen/dtype.hpp"

namespace ssmgen::kernels {

/// Host values, dense row-major, as a checkpoint has them; read once.
struct SweepInputsSpec {
  std::int64_t channels = 0;
  std::int64_t rank = 0;
  std::int64_t states = 0;
  std::int64_t width = 0;
  Dtype type = Dtype::f32;             ///< of x, u and delta: bf16 for there to be any; x_proj too
  const float* conv_weight = nullptr;  ///< (channels, width)
  const float* conv_bias = nullptr;    ///< (channels) or null
  const float* x_proj = nullptr;       ///< (rank + 2 * states, channels)
  const float* dt_proj = nullptr;      ///< (channels, rank)
  const float* dt_bias = nullptr;      ///< (channels)
};

/// Weights as a back end wants them; immutable, must not outlive the back end.
class PreparedSweepInputs {
 public:
  virtual ~PreparedSweepInputs() = default;
};

struct SweepInputsArgs {
  const PreparedSweepInputs* prepared = nullptr;
  const bfloat16* x = nullptr;
  std::int64_t x_batch_stride = 0;  ///< elements
  std::int64_t x_row_stride = 0;
  const float* carry_in = nullptr;  ///< (batch, width - 1, channels) or null for zeros
  float* carry_out = nullptr;       ///< the same or null; may be carry_in
  bfloat16* u = nullptr;
  float* p = nullptr;
  bfloat16* delta = nullptr;
  std::int64_t batch = 0;
  std::int64_t opposite_from = 0;  ///< equal to batch when all go one way
  std::int64_t length = 0;
  Direction direction = Direction::left_to_right;
};

}  // namespace ssmgen::kernels
