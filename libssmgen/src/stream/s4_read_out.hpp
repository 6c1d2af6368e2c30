#pragma once
// What is read of an S4 stack's stream: hidden states and predictions, part by part.

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "models/s4.hpp"
#include "stream/predictions.hpp"

namespace ssmgen::stream {

struct S4Part : PartRange {
  core::TensorView hidden;    ///< (rows, d_model): what the last block gave
  core::TensorView residual;  ///< (rows, d_model) f32; where the norm comes first
};

/// Writes one run's outputs. Parts come in order of sequence and position.
class S4ReadOut {
 public:
  /// @throws InvalidArgument for reads outside the batch or not ordered by sequence.
  S4ReadOut(const models::S4Stack& stack, core::Context& ctx, const RunOutputs& outputs,
            std::int64_t batch, std::int64_t length);

  /// The stream before block `layer`.
  void block_input(const S4Part& part, std::int64_t layer);
  /// The stream after the last block, and everything that is predicted from it. The residual is
  /// used up.
  void end(const S4Part& part);

 private:
  std::vector<float> stream_rows(const S4Part& part, std::int64_t layer, std::int64_t begin,
                                 std::int64_t end) const;
  void write(const S4Part& part, std::int64_t layer, float* whole);
  void hand_out(const S4Part& part, std::int64_t layer);
  core::TensorView logits(const S4Part& part, std::span<const std::int64_t> rows);

  const models::S4Stack& stack_;
  core::Context& ctx_;
  const RunOutputs& outputs_;
  Predictions predictions_;
};

}  // namespace ssmgen::stream
