#pragma once

#include "models/mamba_stack.hpp"
#include "models/model_config.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// The network of a config, its tensors taken from `source` and put on the back end.
/// @throws FormatError naming the tensor that is missing or misshapen.
MambaStack build_network(kernels::Backend& backend, const ModelConfig& config, WeightSource& source,
                         Dtype dtype);

}  // namespace ssmgen::models
