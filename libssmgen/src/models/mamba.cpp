#include "models/mamba.hpp"

#include <fmt/format.h>

#include "models/mamba_weights.hpp"

namespace ssmgen::models {
namespace {

// The two forms differ in their config and in the embedding's name alone.
template <class Config>
MambaStack build(kernels::Backend& backend, const Config& config, bool rms,
                 const std::string& embedding, WeightSource& source, Dtype dtype) {
  MambaStackShape shape;
  shape.sizes = mamba_sizes(config.d_model, config.mixer);
  shape.vocabulary = config.vocab_size;
  shape.n_layer = config.n_layer;
  shape.bidirectional = false;
  shape.residual_in_f32 = config.residual_in_fp32;

  const std::vector<std::int64_t> table{config.vocab_size, config.d_model};
  MambaStackWeights weights;
  weights.embedding = source.f32(embedding, table);
  weights.final_norm =
      read_norm(source, "backbone.norm_f.", rms, config.norm_epsilon, config.d_model);
  if (!config.tie_embeddings) {
    weights.head = source.f32("lm_head.weight", table);
  } else {
    source.ignore("lm_head.weight");
    source.tie("lm_head.weight", embedding);
    weights.head = weights.embedding;
  }

  MambaStack stack(backend, shape, dtype, weights);
  for (std::int64_t layer = 0; layer < config.n_layer; ++layer) {
    const std::string prefix = fmt::format("backbone.layers.{}.", layer);
    layers::BiMambaBlockWeights block;
    block.norm = read_norm(source, prefix + "norm.", rms, config.norm_epsilon, config.d_model);
    block.first = read_sweep(source, prefix + "mixer.", shape.sizes, config.mixer);
    block.first_projection = read_projections(source, prefix + "mixer.", shape.sizes, config.mixer);
    stack.blocks.emplace_back(backend, shape.sizes, dtype, block);
  }
  return stack;
}

}  // namespace

MambaStack build_mamba(kernels::Backend& backend, const MambaHfConfig& config, WeightSource& source,
                       Dtype dtype) {
  return build(backend, config, true, "backbone.embeddings.weight", source, dtype);
}

MambaStack build_mamba(kernels::Backend& backend, const MambaSsmConfig& config,
                       WeightSource& source, Dtype dtype) {
  return build(backend, config, config.rms_norm, "backbone.embedding.weight", source, dtype);
}

}  // namespace ssmgen::models
