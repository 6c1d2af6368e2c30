#include "stream/stack_runner.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <ssmgen/errors.hpp>

#include "ops/ops.hpp"
#include "stream/block_runner.hpp"

namespace ssmgen::stream {
namespace {

using core::ElementType;
using core::TensorView;
using core::Workspace;

// The head's rows are normed and projected in blocks of this, so that reading every position of a
// long sequence needs no second copy of it.
constexpr std::int64_t head_rows = 16384;

// What goes one way only may be a part of a sequence that goes on.
constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

}  // namespace

StackRunner::StackRunner(const models::MambaStack& stack, core::Context& ctx,
                         const RunnerOptions& options)
    : stack_(stack), ctx_(ctx), side_(ctx.backend()), options_(options) {}

std::int64_t StackRunner::chunk_bases_for(std::int64_t length) const {
  const std::int64_t chunk = options_.chunk_bases > 0 ? options_.chunk_bases
                             : length > ctx_.backend().preferred_rows()
                                 ? ctx_.backend().preferred_chunk_rows()
                                 : length;
  return ChunkPlan(length, chunk).chunk_bases();
}

std::int64_t StackRunner::group_rows() const {
  if (options_.group_rows > 0) return options_.group_rows;
  const std::int64_t row_bytes =
      stack_.shape.sizes.d_inner * core::element_bytes(stack_.activation_type());
  return std::max(ctx_.backend().preferred_rows(),
                  ctx_.backend().preferred_group_bytes() / row_bytes);
}

int StackRunner::plus_slot(std::int64_t blocks_done) const noexcept {
  return stack_.shape.swap_strands ? static_cast<int>(blocks_done % 2) : 0;
}

TensorView StackRunner::slot_rows(const Group& group, const TensorView& whole, int slot) const {
  const std::int64_t rows = group.count * group.length;
  return whole.slice(slot * rows, (slot + 1) * rows);
}

void StackRunner::run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                      const RunOutputs& outputs) {
  const models::MambaStackShape& shape = stack_.shape;
  if (batch < 0 || length < 1 || static_cast<std::int64_t>(ids.size()) != batch * length) {
    throw InvalidArgument(
        fmt::format("{} token ids given for {} sequences of {}", ids.size(), batch, length));
  }
  const auto bad = std::find_if(ids.begin(), ids.end(),
                                [&](std::int32_t id) { return id < 0 || id >= shape.vocabulary; });
  if (bad != ids.end()) {
    throw InvalidArgument(
        fmt::format("token id {} is outside the vocabulary of {}", *bad, shape.vocabulary));
  }
  const std::int64_t wanted = group_rows();
  const bool cut = chunk_bases_for(length) < length;
  const std::int64_t per_group =
      cut ? 1 : std::max<std::int64_t>(1, wanted / (length * shape.strands));

  std::size_t read = 0;
  for (std::int64_t first = 0; first < batch; first += per_group) {
    const Workspace::Scope scope(ctx_.workspace());
    Group group;
    group.first = first;
    group.count = std::min(per_group, batch - first);
    group.length = length;
    const core::Shape rows{shape.strands * group.count * length, shape.sizes.d_model};
    group.hidden = ctx_.workspace().take(stack_.activation_type(), rows);
    group.residual = ctx_.workspace().take(stack_.residual_type(), rows);
    embed(ids, group);
    run_blocks(group, outputs);
    if (outputs.last_hidden_state != nullptr) {
      write_last_hidden_state(group,
                              outputs.last_hidden_state + first * length * shape.hidden_width());
    }
    hand_out_last(group, outputs);
    if (outputs.on_base_log_probabilities) hand_out_base_log_probabilities(group, outputs);
    const std::size_t begin = read;
    while (read < outputs.reads.size() &&
           outputs.reads[read].sequence < group.first + group.count) {
      ++read;
    }
    for (std::size_t part = begin; part < read; part += static_cast<std::size_t>(head_rows)) {
      const auto end = std::min(read, part + static_cast<std::size_t>(head_rows));
      read_out(group, outputs, static_cast<std::int64_t>(part), static_cast<std::int64_t>(end));
    }
  }
  if (read != outputs.reads.size()) {
    throw InvalidArgument("reads must be ordered by sequence and lie inside the batch");
  }
}

void StackRunner::embed(std::span<const std::int32_t> ids, const Group& group) {
  const Workspace::Scope scope(ctx_.workspace());
  const std::int64_t rows = group.count * group.length;
  const TensorView device_ids = ctx_.workspace().take(ElementType::i32, {rows});
  ctx_.backend().copy_from_host(ctx_.stream(), device_ids.data(),
                                ids.data() + group.first * group.length, device_ids.bytes());
  // The minus strand lies at the plus strand's positions with complemented bases; its 5' end is
  // on the right, so it is swept the other way and nothing is reversed.
  for (int slot = 0; slot < stack_.shape.strands; ++slot) {
    ops::token_embedding(ctx_, device_ids, slot == 1 ? stack_.complement.view() : TensorView(),
                         stack_.embedding, slot_rows(group, group.hidden, slot));
  }
}

void StackRunner::run_blocks(const Group& group, const RunOutputs& outputs) {
  const ChunkPlan plan(group.length, chunk_bases_for(group.length));
  if (plan.count() == 1) {
    run_slots(group, 0, stack_.shape.strands, plan, outputs);
    return;
  }
  for (int slot = 0; slot < stack_.shape.strands; ++slot) run_slots(group, slot, 1, plan, outputs);
}

ChunkRange StackRunner::wanted_positions(const Group& group, const RunOutputs& outputs) const {
  if (outputs.last_hidden_state != nullptr || outputs.on_hidden ||
      outputs.on_base_log_probabilities) {
    return every_position;
  }
  const auto first = std::ranges::lower_bound(outputs.reads, group.first, {}, &RowRead::sequence);
  const auto last = std::ranges::lower_bound(first, outputs.reads.end(), group.first + group.count,
                                             {}, &RowRead::sequence);
  if (first == last) return every_position;
  const auto [lowest, highest] =
      std::ranges::minmax(std::ranges::subrange(first, last), {}, &RowRead::position);
  return {lowest.position, highest.position + 1};
}

void StackRunner::run_slots(const Group& group, int first_slot, int slots, const ChunkPlan& plan,
                            const RunOutputs& outputs) {
  const models::MambaStackShape& shape = stack_.shape;
  const std::int64_t slot_size = group.count * group.length;
  SequenceSet set;
  set.hidden = group.hidden.slice(first_slot * slot_size, (first_slot + slots) * slot_size);
  set.residual = group.residual.slice(first_slot * slot_size, (first_slot + slots) * slot_size);
  set.count = group.count * slots;
  set.length = group.length;
  set.first_sweep.opposite_from = group.count;
  set.first_sweep.sequence_length = shape.bidirectional ? group.length : endless;
  BlockOptions options;
  options.reverse_channels = shape.swap_strands;
  for (std::int64_t layer = 0; layer < shape.n_layer; ++layer) {
    if (!outputs.block_inputs.empty()) {
      float* out = outputs.block_inputs[static_cast<std::size_t>(layer)] +
                   group.first * group.length * shape.hidden_width();
      for (int slot = first_slot; slot < first_slot + slots; ++slot) {
        write_half(slot_rows(group, group.hidden, slot), slot != plus_slot(layer), out);
      }
    }
    if (std::binary_search(outputs.hidden_layers.begin(), outputs.hidden_layers.end(), layer)) {
      for (int slot = first_slot; slot < first_slot + slots; ++slot) {
        HiddenRows piece;
        piece.layer = layer;
        piece.minus = slot != plus_slot(layer);
        piece.first_row = group.first * group.length;
        hand_out(slot_rows(group, group.hidden, slot), piece, outputs);
      }
    }
    const bool first_is_plus = first_slot == plus_slot(layer + 1);
    set.first_sweep.direction =
        first_is_plus ? kernels::Direction::left_to_right : kernels::Direction::right_to_left;
    options.has_residual = layer > 0;
    if (layer + 1 == shape.n_layer) options.wanted = wanted_positions(group, outputs);
    run_block(ctx_, side_, stack_.blocks[static_cast<std::size_t>(layer)], plan, set, options);
  }
}

void StackRunner::write_half(const TensorView& rows, bool minus, float* out) {
  const std::int64_t channels = rows.shape()[1];
  std::vector<float> values(static_cast<std::size_t>(rows.shape().count()));
  core::download(ctx_.backend(), ctx_.stream(), rows, values);
  const std::int64_t width = stack_.shape.hidden_width();
  for (std::int64_t row = 0; row < rows.shape()[0]; ++row) {
    const float* from = values.data() + row * channels;
    float* to = out + row * width;
    if (minus) {
      std::reverse_copy(from, from + channels, to + channels);
    } else {
      std::copy(from, from + channels, to);
    }
  }
}

// Piece by piece, so that the host never holds a long sequence's layer.
void StackRunner::hand_out(const TensorView& rows, HiddenRows piece, const RunOutputs& outputs) {
  const std::int64_t count = rows.shape()[0];
  std::vector<float> values;
  for (std::int64_t begin = 0; begin < count; begin += head_rows) {
    const std::int64_t end = std::min(count, begin + head_rows);
    values.resize(static_cast<std::size_t>((end - begin) * rows.shape()[1]));
    core::download(ctx_.backend(), ctx_.stream(), rows.slice(begin, end), values);
    piece.values = values;
    outputs.on_hidden(piece);
    piece.first_row += end - begin;
  }
}

void StackRunner::hand_out_last(const Group& group, const RunOutputs& outputs) {
  const std::int64_t n_layer = stack_.shape.n_layer;
  if (outputs.hidden_layers.empty() || outputs.hidden_layers.back() != n_layer) return;
  const std::int64_t rows = group.count * group.length;
  for (std::int64_t begin = 0; begin < rows; begin += head_rows) {
    const std::int64_t end = std::min(rows, begin + head_rows);
    for (int slot = 0; slot < stack_.shape.strands; ++slot) {
      const Workspace::Scope scope(ctx_.workspace());
      const TensorView hidden = slot_rows(group, group.hidden, slot).slice(begin, end);
      const TensorView residual = slot_rows(group, group.residual, slot).slice(begin, end);
      const TensorView normed = ctx_.workspace().take(hidden.type(), hidden.shape());
      stack_.final_norm.forward(ctx_, hidden, residual, {}, normed, false);
      HiddenRows piece;
      piece.layer = n_layer;
      piece.minus = slot != plus_slot(n_layer);
      piece.first_row = group.first * group.length + begin;
      hand_out(normed, piece, outputs);
    }
  }
}

void StackRunner::hand_out_base_log_probabilities(const Group& group, const RunOutputs& outputs) {
  const std::int64_t rows = group.count * group.length;
  const std::int64_t first_row = group.first * group.length;
  std::vector<RowRead> reads;
  std::vector<float> values;
  for (std::int64_t begin = 0; begin < rows; begin += head_rows) {
    const std::int64_t end = std::min(rows, begin + head_rows);
    reads.clear();
    for (std::int64_t row = first_row + begin; row < first_row + end; ++row) {
      reads.push_back({row / group.length, row % group.length});
    }
    values.resize(reads.size() * 4);
    RunOutputs part;
    part.reads = reads;
    part.base_log_probabilities = values.data();
    part.base_ids = outputs.base_ids;
    read_out(group, part, 0, end - begin);
    outputs.on_base_log_probabilities(first_row + begin, values);
  }
}

void StackRunner::write_last_hidden_state(const Group& group, float* out) {
  const std::int64_t rows = group.count * group.length;
  const std::int64_t width = stack_.shape.hidden_width();
  const int plus = plus_slot(stack_.shape.n_layer);
  for (int slot = 0; slot < stack_.shape.strands; ++slot) {
    for (std::int64_t begin = 0; begin < rows; begin += head_rows) {
      const std::int64_t end = std::min(rows, begin + head_rows);
      const Workspace::Scope scope(ctx_.workspace());
      const TensorView hidden = slot_rows(group, group.hidden, slot).slice(begin, end);
      const TensorView residual = slot_rows(group, group.residual, slot).slice(begin, end);
      const TensorView normed = ctx_.workspace().take(hidden.type(), hidden.shape());
      stack_.final_norm.forward(ctx_, hidden, residual, {}, normed, false);
      write_half(normed, slot != plus, out + begin * width);
    }
  }
}

void StackRunner::read_out(const Group& group, const RunOutputs& outputs, std::int64_t reads_begin,
                           std::int64_t reads_end) {
  const Workspace::Scope scope(ctx_.workspace());
  const models::MambaStackShape& shape = stack_.shape;
  const std::int64_t rows = reads_end - reads_begin;
  std::vector<std::int64_t> index(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < rows; ++i) {
    const RowRead& read = outputs.reads[static_cast<std::size_t>(reads_begin + i)];
    if (read.sequence < group.first || read.position < 0 || read.position >= group.length) {
      throw InvalidArgument("reads must be ordered by sequence and lie inside the batch");
    }
    index[static_cast<std::size_t>(i)] =
        (read.sequence - group.first) * group.length + read.position;
  }
  const TensorView row_index = ctx_.workspace().take(ElementType::i64, {rows});
  ctx_.backend().copy_from_host(ctx_.stream(), row_index.data(), index.data(), row_index.bytes());

  const int plus = plus_slot(shape.n_layer);
  std::array<TensorView, 2> normed;
  for (int slot = 0; slot < shape.strands; ++slot) {
    const core::Shape wanted{rows, shape.sizes.d_model};
    const TensorView hidden = ctx_.workspace().take(stack_.activation_type(), wanted);
    const TensorView residual = ctx_.workspace().take(stack_.residual_type(), wanted);
    ops::gather_rows(ctx_, slot_rows(group, group.hidden, slot), row_index, hidden);
    ops::gather_rows(ctx_, slot_rows(group, group.residual, slot), row_index, residual);
    stack_.final_norm.forward(ctx_, hidden, residual, {}, hidden, false);
    normed[slot == plus ? 0 : 1] = hidden;
  }
  const TensorView logits = ctx_.workspace().take(ElementType::f32, {rows, shape.vocabulary});
  ops::lm_head(ctx_, normed[0], normed[1], stack_.head, stack_.complement, logits);
  if (outputs.logits != nullptr) {
    ctx_.backend().copy_to_host(ctx_.stream(), outputs.logits + reads_begin * shape.vocabulary,
                                logits.data(), logits.bytes());
  }
  if (outputs.base_log_probabilities != nullptr) {
    const TensorView bases = ctx_.workspace().take(ElementType::f32, {rows, 4});
    ops::base_log_softmax(ctx_, logits, outputs.base_ids, bases);
    ctx_.backend().copy_to_host(ctx_.stream(), outputs.base_log_probabilities + reads_begin * 4,
                                bases.data(), bases.bytes());
  }
  ctx_.synchronize();
}

}  // namespace ssmgen::stream
