#pragma once

#include "models/model_config.hpp"
#include "models/network.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// The network of a config, its tensors taken from `source` and put on the back end.
/// @throws FormatError naming the tensor that is missing or misshapen.
Network build_network(kernels::Backend& backend, const ModelConfig& config, WeightSource& source,
                      Dtype dtype);

}  // namespace ssmgen::models
