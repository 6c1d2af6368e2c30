#pragma once
// A stack of Mamba blocks with embedding, final norm and head: what every Caduceus and Mamba
// checkpoint becomes on a device.

#include <cstdint>
#include <ssmgen/dtype.hpp>
#include <vector>

#include "core/tensor.hpp"
#include "layers/bi_mamba_block.hpp"
#include "layers/norm.hpp"

namespace ssmgen::models {

/// Host values of what is not a block.
struct MambaStackWeights {
  std::vector<float> embedding;  ///< (vocabulary, d_model)
  layers::NormWeights final_norm;
  std::vector<float> head;               ///< (vocabulary, d_model)
  std::vector<std::int32_t> complement;  ///< (vocabulary), with two strands
};

/// The sizes and switches of a stack.
struct MambaStackShape {
  layers::MambaSizes sizes;
  std::int64_t vocabulary = 0;
  std::int64_t n_layer = 0;
  /// 2 for reverse-complement equivariant models: every block runs on both strands.
  int strands = 1;
  /// Before each block the strands change halves and channel order (the fused form of
  /// Caduceus-PS): the plus part is taken from the minus strand's chain, and the reverse.
  bool swap_strands = false;
  bool bidirectional = true;
  /// The residual stream is f32 whatever the storage type.
  bool residual_in_f32 = false;

  /// Position t sees only positions before it: log-likelihoods can be read from left to right.
  bool is_causal() const noexcept { return !bidirectional && strands == 1; }
  /// Which slot of two holds the plus strand after so many blocks: where each block swaps them,
  /// they take turns.
  int plus_slot(std::int64_t blocks_done) const noexcept {
    return swap_strands ? static_cast<int>(blocks_done % 2) : 0;
  }
  /// Width of a hidden state as the reference gives it: both strands' channels side by side.
  std::int64_t hidden_width() const noexcept { return sizes.d_model * strands; }
};

/// Immutable; shared by contexts of the same back end, which must outlive it.
struct MambaStack {
  MambaStackShape shape;
  Dtype dtype = Dtype::f32;
  core::Tensor embedding;   ///< (vocabulary, d_model) of dtype
  core::Tensor complement;  ///< (vocabulary) i32, with two strands
  std::vector<layers::BiMambaBlock> blocks;
  layers::Norm final_norm;
  core::Tensor head;  ///< (vocabulary, d_model) f32

  MambaStack(kernels::Backend& backend, const MambaStackShape& stack_shape, Dtype storage,
             const MambaStackWeights& weights);

  core::ElementType activation_type() const noexcept { return core::element_type(dtype); }
  core::ElementType residual_type() const noexcept {
    return shape.residual_in_f32 ? core::ElementType::f32 : activation_type();
  }
};

}  // namespace ssmgen::models
