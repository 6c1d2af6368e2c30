#pragma once
// Reading a Mamba-1 mixer's tensors, which Caduceus and Mamba checkpoints name alike.

#include <string>

#include "layers/bi_mamba_block.hpp"
#include "models/model_config.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

layers::MambaSizes mamba_sizes(std::int64_t d_model, const MixerConfig& mixer);

/// conv1d, x_proj, dt_proj, A_log and D below `prefix` ("...mamba_fwd.").
layers::SweepWeights read_sweep(WeightSource& source, const std::string& prefix,
                                const layers::MambaSizes& sizes, const MixerConfig& mixer);

/// in_proj and out_proj below `prefix`.
layers::ProjectionWeights read_projections(WeightSource& source, const std::string& prefix,
                                           const layers::MambaSizes& sizes,
                                           const MixerConfig& mixer);

/// `prefix`weight and, for LayerNorm, `prefix`bias.
layers::NormWeights read_norm(WeightSource& source, const std::string& prefix, bool rms,
                              double epsilon, std::int64_t channels);

}  // namespace ssmgen::models
