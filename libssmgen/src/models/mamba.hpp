#pragma once

#include "models/mamba_stack.hpp"
#include "models/model_config.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// Mamba language models (Gu & Dao 2023) in the form of Hugging Face transformers.
MambaStack build_mamba(kernels::Backend& backend, const MambaHfConfig& config, WeightSource& source,
                       Dtype dtype);

/// The same in the form of state-spaces/mamba.
MambaStack build_mamba(kernels::Backend& backend, const MambaSsmConfig& config,
                       WeightSource& source, Dtype dtype);

}  // namespace ssmgen::models
