#pragma once

#include "models/mamba_stack.hpp"
#include "models/model_config.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// Caduceus-PH and -PS (Schiff et al. 2024) from the tensors of their Hugging Face checkpoints.
MambaStack build_caduceus(kernels::Backend& backend, const CaduceusConfig& config,
                          WeightSource& source, Dtype dtype);

}  // namespace ssmgen::models
