#pragma once
// What a stack predicts at the positions that are read, part by part.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "core/tensor.hpp"
#include "stream/read_order.hpp"

namespace ssmgen::stream {

class Predictions {
 public:
  /// Some of a part's rows -> their logits (rows, vocabulary) f32, in the context's workspace.
  using Logits = std::function<core::TensorView(std::span<const std::int64_t>)>;

  /// @throws InvalidArgument for reads outside the batch or not ordered by sequence.
  Predictions(core::Context& ctx, const RunOutputs& outputs, std::int64_t batch,
              std::int64_t length);

  const ReadOrder& reads() const noexcept { return reads_; }
  /// Writes what is predicted in the part. Parts come in order of sequence and position.
  void give(const PartRange& part, const Logits& logits);

 private:
  void give_reads(const PartRange& part, const Logits& logits);
  void give_all(const PartRange& part, const Logits& logits);
  void base_log_probabilities(const core::TensorView& logits);

  core::Context& ctx_;
  const RunOutputs& outputs_;
  ReadOrder reads_;
  std::vector<std::int64_t> rows_;
  std::vector<float> values_;
};

}  // namespace ssmgen::stream
