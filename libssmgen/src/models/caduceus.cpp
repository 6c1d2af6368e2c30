#include "models/caduceus.hpp"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "models/mamba_weights.hpp"

namespace ssmgen::models {
namespace {

// Wrappers of the reverse-complement model put one more word into a name; published checkpoints
// differ in where.
std::string present(const WeightSource& source, const std::string& plain,
                    const std::string& wrapped) {
  return source.has(wrapped + "weight") ? wrapped : plain;
}

layers::BiMambaBlockWeights read_block(WeightSource& source, const CaduceusConfig& config,
                                       const layers::MambaSizes& sizes, std::int64_t layer) {
  const std::string prefix = fmt::format("caduceus.backbone.layers.{}.", layer);
  const std::string mixer = prefix + (config.rcps ? "mixer.submodule." : "mixer.");
  layers::BiMambaBlockWeights weights;
  weights.norm = read_norm(source, present(source, prefix + "norm.", prefix + "norm.submodule."),
                           config.rms_norm, config.norm_epsilon, config.d_model);
  weights.first = read_sweep(source, mixer + "mamba_fwd.", sizes, config.mixer);
  weights.first_projection = read_projections(source, mixer + "mamba_fwd.", sizes, config.mixer);
  if (!config.bidirectional) return weights;

  const std::string reverse = mixer + "mamba_rev.";
  weights.join = config.bidirectional_strategy == BidirectionalStrategy::add
                     ? layers::Join::add
                     : layers::Join::multiply;
  weights.second = read_sweep(source, reverse, sizes, config.mixer);
  if (!config.bidirectional_weight_tie) {
    weights.second_projection = read_projections(source, reverse, sizes, config.mixer);
    return weights;
  }
  for (const char* name : {"in_proj.weight", "out_proj.weight", "in_proj.bias", "out_proj.bias"}) {
    const bool is_bias = std::string_view(name).ends_with("bias");
    if (is_bias && !config.mixer.bias) continue;
    source.ignore(reverse + name);
    source.tie(reverse + name, mixer + "mamba_fwd." + name);
  }
  return weights;
}

}  // namespace

MambaStack build_caduceus(kernels::Backend& backend, const CaduceusConfig& config,
                          WeightSource& source, Dtype dtype) {
  MambaStackShape shape;
  shape.sizes = mamba_sizes(config.d_model, config.mixer);
  shape.vocabulary = config.vocab_size;
  shape.n_layer = config.n_layer;
  shape.strands = config.rcps ? 2 : 1;
  shape.swap_strands = config.rcps && config.fused_add_norm;
  shape.bidirectional = config.bidirectional;
  shape.residual_in_f32 = config.residual_in_fp32;

  const std::vector<std::int64_t> table{config.vocab_size, config.d_model};
  const std::string embeddings = "caduceus.backbone.embeddings.word_embeddings.";
  const std::string embedding = present(source, embeddings, embeddings + "embedding.") + "weight";
  const std::string norm_f = "caduceus.backbone.norm_f.";

  MambaStackWeights weights;
  weights.embedding = source.f32(embedding, table);
  weights.final_norm = read_norm(source, present(source, norm_f, norm_f + "submodule."),
                                 config.rms_norm, config.norm_epsilon, config.d_model);
  const std::string head = present(source, "lm_head.", "lm_head.lm_head.") + "weight";
  if (source.has(head)) {
    weights.head = source.f32(head, table);
  } else {
    source.tie(head, embedding);
    weights.head = weights.embedding;
  }
  weights.complement = config.complement_map;
  source.ignore(embeddings + "complement_map");
  source.ignore("lm_head.complement_map");

  MambaStack stack(backend, shape, dtype, weights);
  stack.blocks.reserve(static_cast<std::size_t>(config.n_layer));
  for (std::int64_t layer = 0; layer < config.n_layer; ++layer) {
    stack.blocks.emplace_back(backend, shape.sizes, dtype,
                              read_block(source, config, shape.sizes, layer));
  }
  return stack;
}

}  // namespace ssmgen::models
