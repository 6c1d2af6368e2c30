#pragma once
// A block of S4 (Gu et al. 2022): the state space model one way or both ways, GELU, a product to
// twice the channels and a gated linear unit; with a norm before or after it in a stack.

#include <memory>
#include <optional>
#include <vector>

#include "layers/norm.hpp"
#include "layers/s4_sweep.hpp"

namespace ssmgen::layers {

struct S4BlockWeights {
  std::optional<NormWeights> norm;  ///< absent for a block that stands alone
  S4Parameters model;
  std::vector<float> output;       ///< (2 * channels, channels)
  std::vector<float> output_bias;  ///< (2 * channels)
};

/// Immutable device weights. The steps are apart so that whoever streams a sequence can run them
/// chunk by chunk.
class S4Block {
 public:
  S4Block(kernels::Backend& backend, Dtype dtype, const S4BlockWeights& weights);

  bool is_bidirectional() const noexcept { return is_bidirectional_; }
  std::int64_t channels() const noexcept { return channels_; }
  /// Of use only when the block has one.
  const Norm& norm() const noexcept { return norm_; }
  const S4Sweep& sweep() const noexcept { return *sweep_; }

  /// mixed (rows, channels), what the sweeps gave, is used up; out (rows, channels).
  void finish(core::Context& ctx, const core::TensorView& mixed, const core::TensorView& out) const;

 private:
  std::int64_t channels_;
  bool is_bidirectional_;
  Norm norm_;
  std::unique_ptr<S4Sweep> sweep_;
  std::unique_ptr<kernels::PreparedProduct> output_;
};

}  // namespace ssmgen::layers
