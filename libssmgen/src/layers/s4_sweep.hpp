#pragma once
// The state space model of an S4 layer on a device, one direction at a time.

#include <memory>

#include "core/context.hpp"
#include "layers/s4_kernel.hpp"

namespace ssmgen::layers {

/// Immutable device tables of all directions.
class S4Sweep {
 public:
  S4Sweep() = default;
  S4Sweep(const S4Sweep&) = delete;
  S4Sweep& operator=(const S4Sweep&) = delete;
  virtual ~S4Sweep() = default;

  /// What a sweep hands from one chunk to the next, f32; owned by whoever loops over chunks.
  virtual core::Shape carry_shape(std::int64_t batch) const = 0;

  /// in, out (batch, length, channels). left_to_right takes the first direction, whose outputs see
  /// their own position and D; right_to_left the second, which sees the positions after.
  /// Carries may be absent. A chunk's length is a multiple of the kernels' tile length, but for the
  /// sequence's end.
  virtual void forward(core::Context& ctx, kernels::Direction direction, const core::TensorView& in,
                       const core::TensorView& carry_in, const core::TensorView& carry_out,
                       const core::TensorView& out, bool accumulate) const = 0;
};

/// A scan for a diagonal model, a convolution with a carried state for a DPLR one.
std::unique_ptr<S4Sweep> make_s4_sweep(kernels::Backend& backend, const S4Parameters& parameters);

}  // namespace ssmgen::layers
