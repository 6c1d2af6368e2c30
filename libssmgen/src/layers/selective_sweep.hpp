#pragma once
// One direction of a Mamba-1 mixer between its two projections (Gu & Dao 2023, section 3.4):
// causal conv + SiLU, x_proj, dt_proj, selective scan with gate.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/context.hpp"
#include "core/tensor.hpp"
#include "ops/ops.hpp"

namespace ssmgen::layers {

struct MambaSizes {
  std::int64_t d_model = 0;
  std::int64_t d_inner = 0;
  std::int64_t d_state = 16;
  std::int64_t d_conv = 4;
  std::int64_t dt_rank = 0;
};

/// What a sweep hands from one chunk to the next; owned by whoever loops over chunks.
struct MambaCarry {
  core::TensorView conv_tail;   ///< (batch, d_conv-1, d_inner) f32, oldest input first
  core::TensorView scan_state;  ///< (batch, d_inner, d_state) f32

  static MambaCarry take(core::Workspace& workspace, const MambaSizes& sizes, std::int64_t batch);
};

/// Host values of one direction, dense row-major in the checkpoint's shapes.
struct SweepWeights {
  std::vector<float> conv_weight;  ///< (d_inner, d_conv)
  std::vector<float> conv_bias;    ///< (d_inner) or empty
  std::vector<float> x_proj;       ///< (dt_rank + 2*d_state, d_inner)
  std::vector<float> dt_proj;      ///< (d_inner, dt_rank)
  std::vector<float> dt_bias;      ///< (d_inner)
  std::vector<float> a_log;        ///< (d_inner, d_state)
  std::vector<float> d;            ///< (d_inner)
};

/// Immutable device weights of one direction.
class SelectiveSweep {
 public:
  SelectiveSweep(kernels::Backend& backend, const MambaSizes& sizes, Dtype dtype,
                 const SweepWeights& weights);

  /// x, gate (batch, length, d_inner), gate absent for none; out the same, dense. With accumulate
  /// out is added to before it is gated.
  /// carry_in and carry_out may be null (zeros before the start; the end is dropped) or the same.
  void forward(core::Context& ctx, const ops::Sweep& sweep, const core::TensorView& x,
               const core::TensorView& gate, const MambaCarry* carry_in,
               const MambaCarry* carry_out, const core::TensorView& out, bool accumulate) const;

  /// forward() in two parts, which whoever runs them on two streams orders. First what the scan
  /// reads of x: u and delta (batch, length, d_inner), and in `p` (batch, length, dt_rank + 2 *
  /// d_state), behind dt, B and C; of the carries the convolution's.
  void make_inputs(core::Context& ctx, const ops::Sweep& sweep, const core::TensorView& x,
                   const MambaCarry* carry_in, const MambaCarry* carry_out,
                   const ops::SweepInputsTensors& to) const;
  ops::SweepInputsTensors take_inputs(core::Workspace& workspace, core::ElementType type,
                                      std::int64_t batch, std::int64_t length) const;
  /// Then the scan itself; of the carries the states.
  void scan(core::Context& ctx, const ops::Sweep& sweep, const ops::SweepInputsTensors& inputs,
            const core::TensorView& gate, const MambaCarry* carry_in, const MambaCarry* carry_out,
            const core::TensorView& out, bool accumulate) const;

 private:
  MambaSizes sizes_;
  core::Tensor a_;
  core::Tensor d_;
  std::unique_ptr<kernels::PreparedSweepInputs> inputs_;  ///< conv to dt_proj in one, or ...
  std::unique_ptr<kernels::PreparedProduct> x_proj_;      ///< ... one by one
  std::unique_ptr<kernels::PreparedProduct> dt_proj_;
  core::Tensor conv_weight_;
  core::Tensor conv_bias_;
};

/// A product of `in` activations with this weight (outputs, inputs), results in `out`.
std::unique_ptr<kernels::PreparedProduct> prepare_product(
    kernels::Backend& backend, Dtype in, Dtype out, std::int64_t outputs, std::int64_t inputs,
    const std::vector<float>& weight, const std::vector<float>& bias,
    kernels::Activation activation = kernels::Activation::none);

}  // namespace ssmgen::layers
