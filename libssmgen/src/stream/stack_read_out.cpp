#include "stream/stack_read_out.hpp"

#include <algorithm>

#include "ops/ops.hpp"

namespace ssmgen::stream {

using core::ElementType;
using core::TensorView;
using core::Workspace;

StackReadOut::StackReadOut(const models::MambaStack& stack, core::Context& ctx,
                           const RunOutputs& outputs, std::int64_t batch, std::int64_t length)
    : stack_(stack), ctx_(ctx), outputs_(outputs), predictions_(ctx, outputs, batch, length) {}

std::optional<ChunkRange> StackReadOut::wanted(std::int64_t first, std::int64_t count) const {
  if (outputs_.takes_last_hidden() || outputs_.predicts_all()) return std::nullopt;
  const ChunkRange positions = predictions_.reads().positions(first, count);
  return positions.length() == 0 ? std::nullopt : std::optional(positions);
}

std::optional<std::vector<std::int64_t>> StackReadOut::predicted(std::int64_t sequence) const {
  if (outputs_.predicts_all()) return std::nullopt;
  return predictions_.reads().positions_of(sequence);
}

void StackReadOut::block_input(const PartRange& part, std::int64_t layer, bool minus,
                               const TensorView& rows) {
  if (!outputs_.block_inputs.empty()) {
    write_half(rows, minus, part.first_row(),
               outputs_.block_inputs[static_cast<std::size_t>(layer)]);
  }
  if (!std::ranges::binary_search(outputs_.hidden_layers, layer)) return;
  HiddenRows piece;
  piece.layer = layer;
  piece.minus = minus;
  piece.first_row = part.first_row();
  hand_out(rows, piece);
}

void StackReadOut::last_hidden(const StackPart& part, std::span<const bool> strands_minus) {
  const std::int64_t n_layer = stack_.shape.n_layer;
  const bool is_handed_out = std::ranges::binary_search(outputs_.hidden_layers, n_layer);
  if (outputs_.last_hidden_state == nullptr && outputs_.device_last_hidden_state == nullptr &&
      !is_handed_out) {
    return;
  }
  for_pieces(part.rows(), [&](std::int64_t begin, std::int64_t end) {
    for (const bool minus : strands_minus) {
      const Workspace::Scope scope(ctx_.workspace());
      const StrandRows& strand = part.strands[minus ? 1 : 0];
      const TensorView residual = strand.residual.slice(begin, end);
      const TensorView normed = ctx_.workspace().take(stack_.activation_type(), residual.shape());
      stack_.final_norm.forward(ctx_,
                                strand.hidden ? strand.hidden.slice(begin, end) : TensorView(),
                                residual, {}, normed, false);
      if (outputs_.last_hidden_state != nullptr) {
        write_half(normed, minus, part.first_row() + begin, outputs_.last_hidden_state);
      }
      if (outputs_.device_last_hidden_state != nullptr) {
        place_half(normed, minus, part.first_row() + begin, outputs_.device_last_hidden_state);
      }
      if (!is_handed_out) continue;
      HiddenRows piece;
      piece.layer = n_layer;
      piece.minus = minus;
      piece.first_row = part.first_row() + begin;
      hand_out(normed, piece);
    }
  });
}

void StackReadOut::write_half(const TensorView& rows, bool minus, std::int64_t first_row,
                              float* whole) {
  const std::int64_t channels = rows.shape()[1];
  const std::int64_t width = stack_.shape.hidden_width();
  std::vector<float> values;
  for_pieces(rows.shape()[0], [&](std::int64_t begin, std::int64_t end) {
    values.resize(static_cast<std::size_t>((end - begin) * channels));
    core::download(ctx_.backend(), ctx_.stream(), rows.slice(begin, end), values);
    for (std::int64_t row = begin; row < end; ++row) {
      const float* from = values.data() + (row - begin) * channels;
      float* to = whole + (first_row + row) * width;
      if (minus) {
        std::reverse_copy(from, from + channels, to + channels);
      } else {
        std::copy(from, from + channels, to);
      }
    }
  });
}

// write_half() on the device.
void StackReadOut::place_half(const TensorView& rows, bool minus, std::int64_t first_row,
                              float* whole) {
  const std::int64_t channels = rows.shape()[1];
  const std::int64_t width = stack_.shape.hidden_width();
  const TensorView half(whole + first_row * width + (minus ? channels : 0), ElementType::f32,
                        rows.shape(), {width, 1});
  ops::place_rows(ctx_, rows, {}, half, minus);
}

// Piece by piece, so that the host never holds a long sequence's layer.
void StackReadOut::hand_out(const TensorView& rows, HiddenRows piece) {
  std::vector<float> values;
  for_pieces(rows.shape()[0], [&](std::int64_t begin, std::int64_t end) {
    values.resize(static_cast<std::size_t>((end - begin) * rows.shape()[1]));
    core::download(ctx_.backend(), ctx_.stream(), rows.slice(begin, end), values);
    piece.values = values;
    outputs_.on_hidden(piece);
    piece.first_row += end - begin;
  });
}

void StackReadOut::norm_rows(const StackPart& part, bool minus, std::span<const std::int64_t> rows,
                             const TensorView& out) {
  const Workspace::Scope scope(ctx_.workspace());
  const StrandRows& strand = part.strands[minus ? 1 : 0];
  if (strand.normed) {
    std::vector<std::int64_t> places(rows.begin(), rows.end());
    for (std::int64_t& place : places) {
      if (strand.kept.empty()) break;
      place = std::ranges::lower_bound(strand.kept, place) - strand.kept.begin();
    }
    ops::gather_rows(ctx_, strand.normed, core::take_copy(ctx_, places), out);
    return;
  }
  const TensorView index = core::take_copy(ctx_, rows);
  const TensorView residual = ctx_.workspace().take(stack_.residual_type(), out.shape());
  ops::gather_rows(ctx_, strand.residual, index, residual);
  if (strand.hidden) ops::gather_rows(ctx_, strand.hidden, index, out);
  stack_.final_norm.forward(ctx_, strand.hidden ? out : TensorView(), residual, {}, out, false);
}

TensorView StackReadOut::logits(const StackPart& part, std::span<const std::int64_t> rows) {
  const models::MambaStackShape& shape = stack_.shape;
  const auto count = static_cast<std::int64_t>(rows.size());
  std::array<TensorView, 2> normed;
  for (int strand = 0; strand < shape.strands; ++strand) {
    const TensorView out =
        ctx_.workspace().take(stack_.activation_type(), {count, shape.sizes.d_model});
    norm_rows(part, strand == 1, rows, out);
    normed[static_cast<std::size_t>(strand)] = out;
  }
  const TensorView result = ctx_.workspace().take(ElementType::f32, {count, shape.vocabulary});
  ops::lm_head(ctx_, normed[0], normed[1], stack_.head, stack_.complement, result);
  return result;
}

void StackReadOut::predict(const StackPart& part) {
  predictions_.give(part, [&](std::span<const std::int64_t> rows) { return logits(part, rows); });
}

}  // namespace ssmgen::stream
