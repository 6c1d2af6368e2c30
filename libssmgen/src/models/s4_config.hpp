#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "layers/hippo.hpp"
#include "layers/s4_kernel.hpp"

namespace ssmgen::models {

/// model_type "s4" (a language model) and "s4_block" (one block alone), as in state-spaces/s4.
struct S4Config {
  std::int64_t d_model = 0;
  std::int64_t n_layer = 1;
  std::int64_t vocab_size = 0;  ///< rows of the embedding; 0 for a block alone
  std::int64_t d_state = 64;    ///< states with their conjugates: twice the stored ones
  std::int64_t rank = 1;        ///< of the DPLR form; 0 for the diagonal one
  layers::Discretization discretization = layers::Discretization::zoh;
  bool bidirectional = false;
  bool prenorm = true;
  double norm_epsilon = 1e-5;
  /// What random weights start from; a checkpoint has its own.
  layers::HippoMeasure start = layers::HippoMeasure::legs;

  bool is_block() const noexcept { return vocab_size == 0; }
};

/// @throws FormatError naming the key. Unknown keys are told in `warnings`.
S4Config parse_s4_config(const base::JsonValue& config, bool is_block,
                         std::vector<std::string>& warnings);

}  // namespace ssmgen::models
