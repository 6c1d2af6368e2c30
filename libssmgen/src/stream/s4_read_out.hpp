#pragma once
// What is read of an S4 stack's stream: hidden states and predictions, part by part.

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "models/s4.hpp"
#include "stream/stack_runner.hpp"

namespace ssmgen::stream {

/// Positions whose activations are on the device: of whole sequences, or a chunk of one.
struct S4Part {
  std::int64_t first = 0;         ///< sequence
  std::int64_t count = 0;         ///< sequences
  std::int64_t begin = 0;         ///< position
  std::int64_t length = 0;        ///< positions of each sequence
  std::int64_t whole_length = 0;  ///< of the sequence
  core::TensorView hidden;        ///< (count * length, d_model): what the last block gave
  core::TensorView residual;      ///< (count * length, d_model) f32; where the norm comes first

  std::int64_t rows() const noexcept { return count * length; }
  /// Of (batch * whole_length).
  std::int64_t first_row() const noexcept { return first * whole_length + begin; }
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
  void predict_reads(const S4Part& part);
  void predict_all(const S4Part& part);
  core::TensorView logits(const S4Part& part, std::span<const std::int64_t> rows);
  void base_log_probabilities(const core::TensorView& logits, std::vector<float>& values);

  const models::S4Stack& stack_;
  core::Context& ctx_;
  const RunOutputs& outputs_;
  std::vector<std::int64_t> order_;  // reads by sequence and position
  std::size_t next_ = 0;             // of order_
};

}  // namespace ssmgen::stream
