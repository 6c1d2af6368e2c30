#pragma once
// A golden directory's model run on its inputs and compared with what the reference computed.

#include <ssmgen/model.hpp>
#include <string>
#include <vector>

namespace ssmgen {

/// One compared tensor.
struct TensorCheck {
  std::string name;
  double max_abs_error = 0;
  double relative_norm = 0;  ///< |ours - expected| / |expected|, Euclidean
  double tolerance = 0;      ///< of relative_norm
  bool passed = false;
};

/// `directory` holds config.json, model.safetensors and expected.safetensors (input_ids, and any of
/// logits, last_hidden_state, hidden_states.i; of a single block input and output).
/// @throws FormatError when the directory is not that.
std::vector<TensorCheck> selftest(const std::string& directory, const ModelOptions& options = {});

}  // namespace ssmgen
