#pragma once
// The kernels of S4 models as ops; as in ops/ops.hpp.

#include "core/context.hpp"
#include "core/tensor.hpp"

namespace ssmgen::ops {

/// in, out of one dense shape.
void gelu(core::Context& ctx, const core::TensorView& in, const core::TensorView& out);

/// in (rows, 2 * channels), out (rows, channels), dense.
void glu(core::Context& ctx, const core::TensorView& in, const core::TensorView& out);

/// The tensors of kernels::DiagonalScanArgs.
struct DiagonalScanTensors {
  core::TensorView in;            ///< (batch, length, channels)
  core::TensorView coefficients;  ///< (states, 16, channels) f32
  core::TensorView taps;          ///< (4, channels) f32
  core::TensorView tile_decay;    ///< (states, 2, channels) f32
  core::TensorView state_in;      ///< (batch, 2 * states, channels) f32 or absent
  core::TensorView state_out;     ///< (batch, 2 * states, channels) f32 or absent
  core::TensorView out;           ///< (batch, length, channels)
};
void diagonal_scan(core::Context& ctx, kernels::Direction direction,
                   const DiagonalScanTensors& tensors, bool accumulate);

/// The tensors of kernels::StateConvolutionArgs.
struct StateConvolutionTensors {
  core::TensorView in;         ///< (batch, length, channels)
  core::TensorView taps;       ///< (block, channels) f32
  core::TensorView out_table;  ///< (panels, block * states, 16) f32
  core::TensorView in_table;   ///< (panels, block * states, 16) f32
  core::TensorView decay;      ///< (panels, states * states, 16) f32
  core::TensorView state_in;   ///< (batch, states, channels) f32 or absent
  core::TensorView state_out;  ///< (batch, states, channels) f32 or absent
  core::TensorView out;        ///< (batch, length, channels)
};
void state_convolution(core::Context& ctx, kernels::Direction direction,
                       const StateConvolutionTensors& tensors, bool accumulate);

}  // namespace ssmgen::ops
