#pragma once

#include <vector>

#include "core/context.hpp"
#include "ops/ops.hpp"

namespace ssmgen::layers {

/// Host values of a norm.
struct NormWeights {
  ops::NormKind kind = ops::NormKind::rms;
  std::vector<float> weight;  ///< (channels)
  std::vector<float> bias;    ///< (channels) or empty
  float epsilon = 1e-5f;
};

/// Immutable device weights of an add + norm.
class Norm {
 public:
  Norm() = default;
  Norm(kernels::Backend& backend, const NormWeights& weights);

  /// out = norm(hidden + residual_in), residual_out = the sum; see kernels/add_norm.hpp.
  void forward(core::Context& ctx, const core::TensorView& hidden,
               const core::TensorView& residual_in, const core::TensorView& residual_out,
               const core::TensorView& out, bool reverse_channels) const;

 private:
  core::Tensor weight_;
  core::Tensor bias_;
  ops::NormParameters parameters_;
};

}  // namespace ssmgen::layers
