#include "stream/s4_read_out.hpp"

#include <algorithm>
#include <numeric>
#include <ssmgen/errors.hpp>

#include "ops/ops.hpp"

namespace ssmgen::stream {
namespace {

using core::ElementType;
using core::TensorView;
using core::Workspace;

// Rows are read in pieces of this, so that reading every position needs no second copy of a long
// sequence on the device or the host.
constexpr std::int64_t piece_rows = 16384;

template <class Body>
void for_pieces(std::int64_t rows, Body&& body) {
  for (std::int64_t begin = 0; begin < rows; begin += piece_rows) {
    body(begin, std::min(rows, begin + piece_rows));
  }
}

}  // namespace

S4ReadOut::S4ReadOut(const models::S4Stack& stack, core::Context& ctx, const RunOutputs& outputs,
                     std::int64_t batch, std::int64_t length)
    : stack_(stack), ctx_(ctx), outputs_(outputs), order_(outputs.reads.size()) {
  std::int64_t sequence = 0;
  for (const RowRead& read : outputs.reads) {
    if (read.sequence < sequence || read.sequence >= batch || read.position < 0 ||
        read.position >= length) {
      throw InvalidArgument("reads must be ordered by sequence and lie inside the batch");
    }
    sequence = read.sequence;
  }
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  const auto place = [&outputs](std::int64_t i) {
    const RowRead& read = outputs.reads[static_cast<std::size_t>(i)];
    return std::pair(read.sequence, read.position);
  };
  std::stable_sort(order_.begin(), order_.end(),
                   [&place](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
}

void S4ReadOut::block_input(const S4Part& part, std::int64_t layer) {
  if (!outputs_.block_inputs.empty()) {
    write(part, layer, outputs_.block_inputs[static_cast<std::size_t>(layer)]);
  }
  hand_out(part, layer);
}

void S4ReadOut::end(const S4Part& part) {
  const std::int64_t layers = stack_.config.n_layer;
  if (outputs_.last_hidden_state != nullptr) write(part, layers, outputs_.last_hidden_state);
  hand_out(part, layers);
  if (outputs_.on_base_log_probabilities) predict_all(part);
  predict_reads(part);
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
    // A norm adds before it norms; the sum alone is wanted, and its norm goes where hidden was.
    stack_.blocks.back().norm().forward(ctx_, hidden, in, in, hidden, false);
  }
  const TensorView result = workspace.take(ElementType::f32, {count, stack_.config.vocab_size});
  ops::product(ctx_, *stack_.head, in, result, false);
  return result;
}

void S4ReadOut::base_log_probabilities(const TensorView& logits, std::vector<float>& values) {
  const TensorView bases = ctx_.workspace().take(ElementType::f32, {logits.shape()[0], 4});
  ops::base_log_softmax(ctx_, logits, outputs_.base_ids, bases);
  values.resize(static_cast<std::size_t>(bases.shape().count()));
  core::download(ctx_.backend(), ctx_.stream(), bases, values);
}

void S4ReadOut::predict_reads(const S4Part& part) {
  std::vector<std::int64_t> rows;
  std::vector<float> values;
  while (next_ < order_.size()) {
    const Workspace::Scope scope(ctx_.workspace());
    const std::size_t from = next_;
    rows.clear();
    for (; next_ < order_.size() && std::ssize(rows) < piece_rows; ++next_) {
      const RowRead& read = outputs_.reads[static_cast<std::size_t>(order_[next_])];
      if (read.sequence >= part.first + part.count || read.position >= part.begin + part.length) {
        break;
      }
      rows.push_back((read.sequence - part.first) * part.length + read.position - part.begin);
    }
    if (rows.empty()) return;
    const TensorView found = logits(part, rows);
    const auto store = [&](float* to, std::int64_t width) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(values.data() + static_cast<std::int64_t>(i) * width, width,
                    to + order_[from + i] * width);
      }
    };
    if (outputs_.logits != nullptr) {
      values.resize(static_cast<std::size_t>(found.shape().count()));
      core::download(ctx_.backend(), ctx_.stream(), found, values);
      store(outputs_.logits, stack_.config.vocab_size);
    }
    if (outputs_.base_log_probabilities != nullptr) {
      base_log_probabilities(found, values);
      store(outputs_.base_log_probabilities, 4);
    }
  }
}

void S4ReadOut::predict_all(const S4Part& part) {
  std::vector<std::int64_t> rows;
  std::vector<float> values;
  for_pieces(part.rows(), [&](std::int64_t begin, std::int64_t end) {
    const Workspace::Scope scope(ctx_.workspace());
    rows.resize(static_cast<std::size_t>(end - begin));
    std::iota(rows.begin(), rows.end(), begin);
    base_log_probabilities(logits(part, rows), values);
    outputs_.on_base_log_probabilities(part.first_row() + begin, values);
  });
}

}  // namespace ssmgen::stream
