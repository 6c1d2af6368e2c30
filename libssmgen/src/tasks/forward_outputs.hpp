#pragma once
// What Model::forward() and its like ask of a run, and where it goes.

#include <cstdint>
#include <ssmgen/model.hpp>
#include <vector>

#include "stream/run_outputs.hpp"

namespace ssmgen::tasks {

/// @throws InvalidArgument for a size below 1.
void check_forward_sizes(std::int64_t batch, std::int64_t length);

/// Sizes the result for the request and points a run's outputs at it.
class ForwardOutputs {
 public:
  ForwardOutputs(const ModelInfo& model, std::int64_t batch, std::int64_t length,
                 const ForwardRequest& request);
  ForwardOutputs(const ForwardOutputs&) = delete;
  ForwardOutputs& operator=(const ForwardOutputs&) = delete;

  const stream::RunOutputs& outputs() const noexcept { return outputs_; }
  /// To be taken after the run.
  ForwardResult take() { return std::move(result_); }

 private:
  ForwardResult result_;
  std::vector<stream::RowRead> reads_;
  stream::RunOutputs outputs_;
};

}  // namespace ssmgen::tasks
