#pragma once
// What is read of a Mamba stack's streams: hidden states and predictions, part by part.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "models/mamba_stack.hpp"
#include "stream/predictions.hpp"

namespace ssmgen::stream {

/// A strand's stream after the last block: what its final norm is taken of, or that norm.
struct StrandRows {
  core::TensorView hidden;    ///< (rows, d_model) of the part; absent when added to the residual
  core::TensorView residual;  ///< (rows, d_model) of the part
  core::TensorView normed;    ///< (kept rows, d_model); the two above are absent then
  std::span<const std::int64_t> kept;  ///< the part's rows that `normed` has; empty for all
};

struct StackPart : PartRange {
  std::array<StrandRows, 2> strands;  ///< plus, minus
};

/// Writes one run's outputs. Parts come in order of sequence and position.
class StackReadOut {
 public:
  /// @throws InvalidArgument for reads outside the batch or not ordered by sequence.
  StackReadOut(const models::MambaStack& stack, core::Context& ctx, const RunOutputs& outputs,
               std::int64_t batch, std::int64_t length);

  /// The positions of these sequences that the last block must give, from the first to the last
  /// that is read; absent for all.
  std::optional<ChunkRange> wanted(std::int64_t first, std::int64_t count) const;
  /// The positions of a sequence that are predicted, ascending; absent for all.
  std::optional<std::vector<std::int64_t>> predicted(std::int64_t sequence) const;

  /// `rows` (rows of the part, d_model): what enters block `layer`, without the residual.
  void block_input(const PartRange& part, std::int64_t layer, bool minus,
                   const core::TensorView& rows);
  /// The final norm of the strands' rows: [plus], [minus] or both.
  void last_hidden(const StackPart& part, std::span<const bool> strands_minus);
  /// The final norm of some of the part's rows, into `out` (rows.size(), d_model).
  void norm_rows(const StackPart& part, bool minus, std::span<const std::int64_t> rows,
                 const core::TensorView& out);
  /// Everything that is predicted from the part.
  void predict(const StackPart& part);

 private:
  void write_half(const core::TensorView& rows, bool minus, std::int64_t first_row, float* whole);
  void place_half(const core::TensorView& rows, bool minus, std::int64_t first_row, float* whole);
  void hand_out(const core::TensorView& rows, HiddenRows piece);
  core::TensorView logits(const StackPart& part, std::span<const std::int64_t> rows);

  const models::MambaStack& stack_;
  core::Context& ctx_;
  const RunOutputs& outputs_;
  Predictions predictions_;
};

}  // namespace ssmgen::stream
