#pragma once
// S4 and S4D (Gu et al. 2022), as language models and as single blocks.

#include <cstdint>
#include <memory>
#include <ssmgen/dtype.hpp>
#include <vector>

#include "core/tensor.hpp"
#include "layers/s4_block.hpp"
#include "models/s4_config.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// Immutable; shared by contexts of the same back end, which must outlive it.
struct S4Stack {
  S4Config config;
  Dtype dtype = Dtype::f32;
  core::Tensor embedding;  ///< (vocabulary, d_model) of dtype; none for a block alone
  std::vector<layers::S4Block> blocks;
  /// (d_model -> vocabulary) with its bias, f32 logits; of stream_type(). None for a block alone.
  std::unique_ptr<kernels::PreparedProduct> head;

  core::ElementType activation_type() const noexcept { return core::element_type(dtype); }
  /// What is read after the last block: the residual sum, which is f32, or the last norm's output.
  Dtype stream_dtype() const noexcept { return config.prenorm ? Dtype::f32 : dtype; }
  bool is_causal() const noexcept { return !config.bidirectional; }
};

/// Host values of a stack, C of its kernels recovered.
struct S4Weights {
  std::vector<float> embedding;  ///< (vocabulary, d_model); these three are empty for a block alone
  std::vector<float> head;       ///< (vocabulary, d_model)
  std::vector<float> head_bias;  ///< (vocabulary)
  std::vector<layers::S4BlockWeights> blocks;
};

S4Weights read_s4(const S4Config& config, WeightSource& source);

S4Stack build_s4(kernels::Backend& backend, const S4Config& config, WeightSource& source,
                 Dtype dtype);

}  // namespace ssmgen::models
