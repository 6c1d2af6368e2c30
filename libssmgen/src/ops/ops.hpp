#pragma once
// One function a kernel: checks shapes and types, calls the back end; no maths, no allocation.
// Formulas and carries stand in the kernels' contracts (kernels/*.hpp). An absent tensor is an
// empty TensorView. All are asynchronous in the context's stream.

#include <array>
#include <cstdint>
#include <limits>

#include "core/context.hpp"
#include "core/tensor.hpp"

namespace ssmgen::ops {

/// The length of what goes one way only: it may be a part of a sequence that goes on.
inline constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

/// Which way a batch is swept: sequences [0, opposite_from) go in `direction`, the others the
/// opposite way, so that both strands of a window are one batch.
struct Sweep {
  kernels::Direction direction = kernels::Direction::left_to_right;
  std::int64_t opposite_from = 0;  ///< equal to the batch when all go one way
  /// Of the whole sequence, where what is given is a part of it; decides how a back end cuts it.
  std::int64_t sequence_length = 0;
};

/// ids (rows) i32, weight (vocabulary, channels), id_map (vocabulary) i32 or absent,
/// out (rows, channels).
void token_embedding(core::Context& ctx, const core::TensorView& ids,
                     const core::TensorView& id_map, const core::TensorView& weight,
                     const core::TensorView& out);

enum class NormKind : std::uint8_t { rms, layer };

struct NormParameters {
  NormKind kind = NormKind::rms;
  core::TensorView weight;  ///< (channels) f32
  core::TensorView bias;    ///< (channels) f32 or absent
  float epsilon = 1e-5f;
};

/// hidden, out (rows, channels) of T; residual_in, residual_out (rows, channels) of R. All but one
/// of hidden and residual_in, and of residual_out and out, may be absent; without hidden and out, T
/// is R.
void add_norm(core::Context& ctx, const NormParameters& norm, const core::TensorView& hidden,
              const core::TensorView& residual_in, const core::TensorView& residual_out,
              const core::TensorView& out, bool reverse_channels);

/// in (rows, inputs), out (rows, outputs), both with contiguous rows.
void product(core::Context& ctx, const kernels::PreparedProduct& product,
             const core::TensorView& in, const core::TensorView& out, bool accumulate);

/// in (batch, length, channels), weight (channels, width) f32, bias (channels) f32 or absent,
/// carries (batch, width-1, channels) f32 or absent, out (batch, length, channels) dense.
void causal_conv(core::Context& ctx, const Sweep& sweep, const core::TensorView& in,
                 const core::TensorView& weight, const core::TensorView& bias,
                 const core::TensorView& carry_in, const core::TensorView& carry_out,
                 const core::TensorView& out);

/// What kernels::SweepInputsArgs writes.
struct SweepInputsTensors {
  core::TensorView u;      ///< (batch, length, channels) dense
  core::TensorView p;      ///< (batch, length, rank + 2 * states) f32 dense
  core::TensorView delta;  ///< (batch, length, channels) dense
};
/// x (batch, length, channels) bf16, carries (batch, width-1, channels) f32 or absent.
void sweep_inputs(core::Context& ctx, const Sweep& sweep,
                  const kernels::PreparedSweepInputs& prepared, const core::TensorView& x,
                  const core::TensorView& carry_in, const core::TensorView& carry_out,
                  const SweepInputsTensors& to);

/// The tensors of kernels::SelectiveScanArgs.
struct SelectiveScanTensors {
  core::TensorView x;          ///< (batch, length, channels)
  core::TensorView delta;      ///< (batch, length, channels) dense
  core::TensorView a;          ///< (channels, states) f32
  core::TensorView b;          ///< (batch, length, states) f32
  core::TensorView c;          ///< (batch, length, states) f32
  core::TensorView d;          ///< (channels) f32 or absent
  core::TensorView gate;       ///< (batch, length, channels) or absent
  core::TensorView state_in;   ///< (batch, channels, states) f32 or absent
  core::TensorView state_out;  ///< (batch, channels, states) f32 or absent
  core::TensorView out;        ///< (batch, length, channels)
};
void selective_scan(core::Context& ctx, const Sweep& sweep, const SelectiveScanTensors& tensors,
                    bool accumulate);

/// a, b, out of one dense shape.
void multiply(core::Context& ctx, const core::TensorView& a, const core::TensorView& b,
              const core::TensorView& out);

/// in (any, channels), row_index (rows) i64, out (rows, channels) dense.
void gather_rows(core::Context& ctx, const core::TensorView& in, const core::TensorView& row_index,
                 const core::TensorView& out);

/// in (rows, channels); residual the same in f32, may be absent; out (rows, channels) f32, which
/// may be a part of wider rows.
void place_rows(core::Context& ctx, const core::TensorView& in, const core::TensorView& residual,
                const core::TensorView& out, bool reversed);

/// plus, minus (rows, channels), minus may be absent; weight (vocabulary, channels) f32;
/// complement (vocabulary) i32, needed with minus; logits (rows, vocabulary) f32.
void lm_head(core::Context& ctx, const core::TensorView& plus, const core::TensorView& minus,
             const core::TensorView& weight, const core::TensorView& complement,
             const core::TensorView& logits);

/// logits (rows, vocabulary) f32, out (rows, 4) f32.
void base_log_softmax(core::Context& ctx, const core::TensorView& logits,
                      const std::array<std::int32_t, 4>& base_ids, const core::TensorView& out);

}  // namespace ssmgen::ops
