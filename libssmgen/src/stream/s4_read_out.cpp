#include "stream/s4_read_out.hpp"

#include <algorithm>

#include "ops/ops.hpp"

namespace ssmgen::stream {

using core::ElementType;
using core::TensorView;
using core::Workspace;

S4ReadOut::S4ReadOut(const models::S4Stack& stack, core::Context& ctx, const RunOutputs& outputs,
                     std::int64_t batch, std::int64_t length)
    : stack_(stack), ctx_(ctx), outputs_(outputs), predictions_(ctx, outputs, batch, length) {}

void S4ReadOut::block_input(const S4Part& part, std::int64_t layer) {
  if (!outputs_.block_inputs.empty()) {
    write(part, layer, outputs_.block_inputs[static_cast<std::size_t>(layer)]);
  }
  hand_out(part, layer);
}

void S4ReadOut::end(const S4Part& part) {
  const std::int64_t layers = stack_.config.n_layer;
  if (outputs_.last_hidden_state != nullptr) write(part, layers, outputs_.last_hidden_state);
  if (outputs_.device_last_hidden_state != nullptr) {
    const core::Shape shape = part.hidden.shape();
    float* rows = outputs_.device_last_hidden_state + part.first_row() * shape[1];
    ops::place_rows(ctx_, part.hidden, part.residual, {rows, ElementType::f32, shape}, false);
  }
  hand_out(part, layers);
  predictions_.give(part, [&](std::span<const std::int64_t> rows) { return logits(part, rows); });
}

// The residual sum is formed in f32 here as it is by the next block's norm on the device.
std::vector<float> S4ReadOut::stream_rows(const S4Part& part, std::int64_t layer,
                                          std::int64_t begin, std::int64_t end) const {
  const auto size = static_cast<std::size_t>((end - begin) * stack_.config.d_model);
  std::vector<float> values(size);
  core::download(ctx_.backend(), ctx_.stream(), part.hidden.slice(begin, end), values);
  if (layer == 0 || !part.residual) return values;
  std::vector<float> residual(size);
  core::download(ctx_.backend(), ctx_.stream(), part.residual.slice(begin, end), residual);
  std::transform(values.begin(), values.end(), residual.begin(), values.begin(),
                 [](float a, float b) { return a + b; });
  return values;
}

void S4ReadOut::write(const S4Part& part, std::int64_t layer, float* whole) {
  for_pieces(part.rows(), [&](std::int64_t begin, std::int64_t end) {
    const std::vector<float> values = stream_rows(part, layer, begin, end);
    std::copy(values.begin(), values.end(),
              whole + (part.first_row() + begin) * stack_.config.d_model);
  });
}

void S4ReadOut::hand_out(const S4Part& part, std::int64_t layer) {
  const auto& layers = outputs_.hidden_layers;
  if (!std::binary_search(layers.begin(), layers.end(), layer)) return;
  for_pieces(part.rows(), [&](std::int64_t begin, std::int64_t end) {
    const std::vector<float> values = stream_rows(part, layer, begin, end);
    HiddenRows piece;
    piece.layer = layer;
    piece.first_row = part.first_row() + begin;
    piece.values = values;
    outputs_.on_hidden(piece);
  });
}

TensorView S4ReadOut::logits(const S4Part& part, std::span<const std::int64_t> rows) {
  Workspace& workspace = ctx_.workspace();
  const auto count = static_cast<std::int64_t>(rows.size());
  const core::Shape shape{count, stack_.config.d_model};
  const TensorView row_index = workspace.take(ElementType::i64, {count});
  ctx_.backend().copy_from_host(ctx_.stream(), row_index.data(), rows.data(), row_index.bytes());
  const TensorView hidden = workspace.take(stack_.activation_type(), shape);
  ops::gather_rows(ctx_, part.hidden, row_index, hidden);
  TensorView in = hidden;
  if (part.residual) {
    in = workspace.take(ElementType::f32, shape);
    ops::gather_rows(ctx_, part.residual, row_index, in);
    // A norm adds before it norms; the sum alone is wanted.
    stack_.blocks.back().norm().forward(ctx_, hidden, in, in, {}, false);
  }
  const TensorView result = workspace.take(ElementType::f32, {count, stack_.config.vocab_size});
  ops::product(ctx_, *stack_.head, in, result, false);
  return result;
}

}  // namespace ssmgen::stream
