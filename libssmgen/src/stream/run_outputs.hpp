#pragma once
// What a run through a stack gives, whatever kind of stack it is.

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace ssmgen::stream {

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

/// What a run writes, in host memory but for what is named `device_`; null pointers are not
/// computed.
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
  /// The same numbers, in memory of the device and there when its stream has come so far: logits of
  /// every position (batch, length, vocabulary), and as last_hidden_state.
  float* device_logits = nullptr;
  float* device_last_hidden_state = nullptr;

  /// Every position is predicted, not only `reads`.
  bool predicts_all() const { return on_base_log_probabilities || device_logits != nullptr; }
  /// Whole rows of the last hidden state go somewhere.
  bool takes_last_hidden() const {
    return last_hidden_state != nullptr || device_last_hidden_state != nullptr || on_hidden;
  }
};

}  // namespace ssmgen::stream
