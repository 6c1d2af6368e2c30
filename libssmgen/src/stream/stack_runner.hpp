#pragma once
// Sequences through a whole stack: windows in groups that fit the caches, long sequences one
// strand at a time, layer by layer, chunk by chunk.

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "models/mamba_stack.hpp"
#include "stream/chunk_plan.hpp"

namespace ssmgen::stream {

struct RunnerOptions {
  /// Sequences longer than this are cut into chunks of it; 0 chooses. Never changes a bit.
  std::int64_t chunk_bases = 0;
  /// Rows (positions x strands) that short sequences share in one pass; 0 chooses. Never changes
  /// a bit.
  std::int64_t group_rows = 0;
};

/// A position whose prediction is wanted.
struct RowRead {
  std::int64_t sequence = 0;
  std::int64_t position = 0;
};

/// A stretch of one strand's hidden state, handed out as soon as it is made.
struct HiddenRows {
  std::int64_t layer = 0;         ///< as in RunOutputs::hidden_layers
  bool minus = false;             ///< the minus strand's, at the plus strand's positions
  std::int64_t first_row = 0;     ///< of (batch * length)
  std::span<const float> values;  ///< (rows, d_model), channels in the order the strand itself has
};

/// What a run writes, in host memory; null pointers are not computed.
struct RunOutputs {
  /// Rows of `logits` and `base_log_probabilities`, ordered by sequence.
  std::span<const RowRead> reads;
  float* logits = nullptr;                  ///< (reads, vocabulary)
  float* base_log_probabilities = nullptr;  ///< (reads, 4): A, C, G, T
  std::array<std::int32_t, 4> base_ids{};   ///< for base_log_probabilities
  /// (batch, length, hidden_width): after the final norm; the second half of a two-strand model is
  /// the minus strand's with channels flipped, as the reference gives it.
  float* last_hidden_state = nullptr;
  /// One pointer a block, each (batch, length, hidden_width): the block's input without the
  /// residual. Empty for none.
  std::vector<float*> block_inputs;
  /// Hidden states to hand to `on_hidden`, ascending: i for the input of block i without the
  /// residual, n_layer for what follows the final norm. Of one layer and strand the rows come in
  /// order, in pieces; layers and strands come in any order.
  std::vector<std::int64_t> hidden_layers;
  std::function<void(const HiddenRows&)> on_hidden;
  /// When set, takes log p of A, C, G, T (`base_ids`) at every position: first row of
  /// (batch * length), then (rows, 4); rows come in order, in pieces.
  std::function<void(std::int64_t, std::span<const float>)> on_base_log_probabilities;
};

class StackRunner {
 public:
  StackRunner(const models::MambaStack& stack, core::Context& ctx, const RunnerOptions& options);

  /// ids (batch, length), each in [0, vocabulary).
  void run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
           const RunOutputs& outputs);

 private:
  // A part of the batch whose activations are on the device: `strands` slots of `count` sequences.
  struct Group {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t length = 0;
    core::TensorView hidden;    // (strands * count * length, d_model)
    core::TensorView residual;  // the same
  };

  std::int64_t chunk_bases_for(std::int64_t length) const;
  std::int64_t group_rows() const;
  void embed(std::span<const std::int32_t> ids, const Group& group);
  void run_blocks(const Group& group, const RunOutputs& outputs);
  /// The positions that the last block must give, from the first to the last that is read.
  ChunkRange wanted_positions(const Group& group, const RunOutputs& outputs) const;
  void run_slots(const Group& group, int first_slot, int slots, const ChunkPlan& plan,
                 const RunOutputs& outputs);
  void read_out(const Group& group, const RunOutputs& outputs, std::int64_t reads_begin,
                std::int64_t reads_end);
  void write_last_hidden_state(const Group& group, float* out);
  void write_half(const core::TensorView& rows, bool minus, float* out);
  void hand_out(const core::TensorView& rows, HiddenRows piece, const RunOutputs& outputs);
  void hand_out_last(const Group& group, const RunOutputs& outputs);
  void hand_out_base_log_probabilities(const Group& group, const RunOutputs& outputs);
  core::TensorView slot_rows(const Group& group, const core::TensorView& whole, int slot) const;
  /// Which slot holds the plus strand after (or, for a swap, before) so many blocks.
  int plus_slot(std::int64_t blocks_done) const noexcept;

  const models::MambaStack& stack_;
  core::Context& ctx_;
  core::Context side_;  // for sweeps beside those in ctx_
  RunnerOptions options_;
};

}  // namespace ssmgen::stream
