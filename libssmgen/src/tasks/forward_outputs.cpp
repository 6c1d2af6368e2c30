#include "tasks/forward_outputs.hpp"

#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::tasks {

void check_forward_sizes(std::int64_t batch, std::int64_t length) {
  if (batch >= 1 && length >= 1) return;
  throw InvalidArgument(
      fmt::format("batch and length must be above 0, not {} and {}", batch, length));
}

ForwardOutputs::ForwardOutputs(const ModelInfo& model, std::int64_t batch, std::int64_t length,
                               const ForwardRequest& request) {
  check_forward_sizes(batch, length);
  const auto rows = static_cast<std::size_t>(batch) * static_cast<std::size_t>(length);
  const auto hidden_size = rows * static_cast<std::size_t>(model.hidden_width);
  if (request.logits) {
    reads_.reserve(rows);
    for (std::int64_t sequence = 0; sequence < batch; ++sequence) {
      for (std::int64_t position = 0; position < length; ++position) {
        reads_.push_back({sequence, position});
      }
    }
    result_.logits.resize(rows * static_cast<std::size_t>(model.vocabulary));
    outputs_.reads = reads_;
    outputs_.logits = result_.logits.data();
  }
  if (request.last_hidden_state) {
    result_.last_hidden_state.resize(hidden_size);
    outputs_.last_hidden_state = result_.last_hidden_state.data();
  }
  if (request.block_inputs) {
    result_.block_inputs.resize(static_cast<std::size_t>(model.n_layer));
    for (std::vector<float>& layer : result_.block_inputs) {
      layer.resize(hidden_size);
      outputs_.block_inputs.push_back(layer.data());
    }
  }
}

}  // namespace ssmgen::tasks
