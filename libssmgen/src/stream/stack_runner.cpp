#include "stream/stack_runner.hpp"

#include <algorithm>
#include <array>

#include "ops/ops.hpp"
#include "stream/block_runner.hpp"
#include "stream/causal_stack.hpp"
#include "stream/last_block.hpp"
#include "stream/memory_budget.hpp"
#include "stream/token_ids.hpp"

namespace ssmgen::stream {
namespace {

using core::ElementType;
using core::TensorView;
using core::Workspace;

}  // namespace

StackRunner::StackRunner(const models::MambaStack& stack, core::Context& ctx,
                         const RunnerOptions& options)
    : stack_(stack),
      ctx_(ctx),
      side_(ctx.backend()),
      first_scan_(ctx.backend(), true),
      second_scan_(ctx.backend(), true),
      options_(options) {}

std::int64_t StackRunner::group_rows() const {
  if (options_.group_rows > 0) return options_.group_rows;
  const std::int64_t row_bytes =
      stack_.shape.sizes.d_inner * core::element_bytes(stack_.activation_type());
  return std::max(ctx_.backend().preferred_rows(),
                  ctx_.backend().preferred_group_bytes() / row_bytes);
}

std::int64_t StackRunner::sequences_together(std::int64_t batch, std::int64_t length) const {
  const std::int64_t rows = std::max<std::int64_t>(1, length * stack_.shape.strands);
  return std::clamp<std::int64_t>(group_rows() / rows, 1, std::max<std::int64_t>(1, batch));
}

// One where they had best not be cut.
ChunkPlan StackRunner::pieces(std::int64_t sequences, std::int64_t length) const {
  std::int64_t unit = options_.piece_unit;
  if (unit == 0) {
    const layers::MambaSizes& sizes = stack_.shape.sizes;
    unit =
        ctx_.backend().preferred_piece_unit({stack_.dtype, sequences * stack_.shape.strands, length,
                                             sizes.d_inner, sizes.d_state, sizes.dt_rank});
  }
  if (unit == 0 || !stack_.blocks.front().sums_sweeps()) return {length, 0};
  return ChunkPlan::mirrored(length, unit);
}

// Of rows that all slots have as many of.
TensorView StackRunner::slot_rows(const TensorView& whole, int slot) const {
  const std::int64_t rows = whole.shape()[0] / stack_.shape.strands;
  return whole.slice(slot * rows, (slot + 1) * rows);
}

// Of the part in piece `piece`, counted from position 0. A slot that is swept the opposite way has
// its last piece first.
TensorView StackRunner::part_rows(const Group& group, const TensorView& whole, int slot,
                                  const PartRange& part, std::int64_t piece) const {
  const ChunkRange stored =
      group.pieces.range(slot == 0 ? piece : group.pieces.count() - 1 - piece);
  const std::int64_t first = stored.begin * stack_.shape.strands * group.count +
                             (slot * group.count + part.first - group.first) * stored.length();
  return whole.slice(first, first + part.rows());
}

// All that is to be read, in order: at once, or sequence by sequence, piece by piece.
template <class Body>
void StackRunner::for_parts(const Group& group, Body&& body) const {
  if (group.pieces.count() == 1) return body(static_cast<const PartRange&>(group), 0);
  for (std::int64_t sequence = 0; sequence < group.count; ++sequence) {
    for (std::int64_t piece = 0; piece < group.pieces.count(); ++piece) {
      const ChunkRange range = group.pieces.range(piece);
      body(PartRange{group.first + sequence, 1, range.begin, range.length(), group.whole_length},
           piece);
    }
  }
}

RunPlan StackRunner::plan(std::int64_t length, std::int64_t predicted_rows) const {
  return plan(length, predicted_rows, pieces(1, length));
}

RunPlan StackRunner::plan(std::int64_t length, std::int64_t predicted_rows,
                          const ChunkPlan& pieces) const {
  const kernels::Backend& backend = ctx_.backend();
  RunPreference preference;
  preference.piece_bases = pieces.count() > 1 ? pieces.chunk_bases() : 0;
  preference.chunk_bases = options_.chunk_bases;
  preference.most_whole_bases = backend.preferred_rows();
  preference.usual_chunk_bases = backend.preferred_chunk_rows();
  preference.has_streams = ctx_.stream() != side_.stream();
  preference.mode = options_.mode;
  preference.place = options_.place;
  MemoryLimits limits;
  limits.max_memory_bytes = options_.max_memory_bytes;
  limits.device_memory_bytes = options_.device_memory_bytes;
  limits.scratch = options_.scratch;
  limits.held_bytes = held_device_bytes();
  return plan_run(run_shape(stack_, length, predicted_rows), find_budget(backend, limits),
                  preference);
}

std::int64_t StackRunner::held_device_bytes() const noexcept {
  std::int64_t bytes = ctx_.workspace().workspace_bytes() + side_.workspace().workspace_bytes();
  for (const auto* store : {stores_.stream.get(), stores_.predicted.get()}) {
    if (store != nullptr) bytes += store->device_bytes();
  }
  return bytes;
}

std::int64_t StackRunner::predicted_rows(const RunOutputs& outputs, std::int64_t batch,
                                         std::int64_t length) const {
  if (outputs.predicts_all()) return length;
  std::int64_t most = 0;
  std::int64_t count = 0;
  std::int64_t sequence = -1;
  for (const RowRead& read : outputs.reads) {
    count = read.sequence == sequence ? count + 1 : 1;
    sequence = read.sequence;
    most = std::max(most, count);
  }
  return batch > 0 ? std::min(most, length) : 0;
}

void StackRunner::run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                      const RunOutputs& outputs) {
  const models::MambaStackShape& shape = stack_.shape;
  check_token_ids(ids, batch, length, shape.vocabulary);
  StackReadOut read_out(stack_, ctx_, outputs, batch, length);
  const ChunkPlan pieces = this->pieces(sequences_together(batch, length), length);
  const RunPlan plan = this->plan(length, predicted_rows(outputs, batch, length), pieces);
  const bool is_cut = plan.mode != RunMode::whole;
  if (plan.mode != RunMode::folded) stores_ = {};
  if (is_cut) {
    ctx_.workspace().reserve(plan.workspace_bytes);
    side_.workspace().reserve(plan.side_bytes);
  }
  const ChunkPlan chunks(length, is_cut ? plan.chunk_bases : 0);
  const std::int64_t per_group =
      is_cut ? 1 : std::min(sequences_together(batch, length), plan.most_together);
  for (std::int64_t first = 0; first < batch; first += per_group) {
    const PartRange range{first, std::min(per_group, batch - first), 0, length, length};
    const auto own = ids.subspan(static_cast<std::size_t>(first * length),
                                 static_cast<std::size_t>(range.rows()));
    switch (plan.mode) {
      case RunMode::whole:
      case RunMode::kept: {
        Group group(range, is_cut ? ChunkPlan(length, 0) : pieces);
        run_group(own, group, is_cut ? chunks : pieces, read_out);
        break;
      }
      case RunMode::folded:
        run_folded(stack_, ctx_, ctx_.stream() == side_.stream() ? ctx_ : side_, plan,
                   options_.scratch, stores_, own, first, read_out);
        break;
      case RunMode::chunks:
        run_chunks(own, range, chunks, read_out);
        break;
    }
  }
  ctx_.synchronize();
}

void StackRunner::run_group(std::span<const std::int32_t> ids, Group& group, const ChunkPlan& plan,
                            StackReadOut& read_out) {
  const models::MambaStackShape& shape = stack_.shape;
  const Workspace::Scope scope(ctx_.workspace());
  const core::Shape rows{shape.strands * group.rows(), shape.sizes.d_model};
  group.hidden = ctx_.workspace().take(stack_.activation_type(), rows);
  group.residual = ctx_.workspace().take(stack_.residual_type(), rows);
  plan_last_block(group, plan, read_out);
  embed(ids, group);
  if (plan.count() == 1 || plan.is_mirrored()) {
    run_slots(group, 0, shape.strands, plan, read_out);
  } else {
    for (int slot = 0; slot < shape.strands; ++slot) run_slots(group, slot, 1, plan, read_out);
  }
  const int plus = shape.plus_slot(shape.n_layer);
  const auto read = [&](StackPart part, const auto& rows_of) {
    for (int slot = 0; slot < shape.strands; ++slot) {
      const bool of_last = group.last.has_value();
      part.strands[slot == plus ? 0 : 1] = {
          rows_of(of_last ? group.last_hidden : group.hidden, slot),
          rows_of(of_last ? group.last_residual : group.residual, slot),
          {},
          {}};
    }
    constexpr std::array<bool, 2> minus{false, true};
    read_out.last_hidden(part, std::span(minus).first(static_cast<std::size_t>(shape.strands)));
    read_out.predict(part);
  };
  if (group.last) {
    StackPart part{group, {}};
    part.begin = group.last->begin;
    part.length = group.last->length();
    read(part, [&](const TensorView& whole, int slot) { return slot_rows(whole, slot); });
    return;
  }
  for_parts(group, [&](const PartRange& part, std::int64_t piece) {
    read({part, {}}, [&](const TensorView& whole, int slot) {
      return part_rows(group, whole, slot, part, piece);
    });
  });
}

void StackRunner::run_chunks(std::span<const std::int32_t> ids, const PartRange& range,
                             const ChunkPlan& plan, StackReadOut& read_out) {
  CausalStack stack(stack_, ctx_);
  for (std::int64_t index = 0; index < plan.count(); ++index) {
    const ChunkRange chunk = plan.range(index);
    PartRange part = range;
    part.begin = chunk.begin;
    part.length = chunk.length();
    stack.feed(ids.subspan(static_cast<std::size_t>(chunk.begin),
                           static_cast<std::size_t>(chunk.length())),
               part, read_out);
  }
}

void StackRunner::plan_last_block(Group& group, const ChunkPlan& plan,
                                  const StackReadOut& read_out) {
  if (plan.count() > 1) return;  // then whole chunks are left out
  const auto read = read_out.wanted(group.first, group.count);
  if (!read) return;
  group.last =
      positions_of_last_block(ctx_.backend(), stack_.blocks.back(), *read, group.whole_length);
  if (!group.last) return;
  const core::Shape rows{stack_.shape.strands * group.count * group.last->length(),
                         stack_.shape.sizes.d_model};
  group.last_hidden = ctx_.workspace().take(stack_.activation_type(), rows);
  group.last_residual = ctx_.workspace().take(stack_.residual_type(), rows);
}

// A strand at a time: each ends elsewhere. `set` has them all.
void StackRunner::run_last(const Group& group, const SequenceSet& set,
                           const BlockOptions& options) {
  BlockOptions own_options = options;
  own_options.wanted = *group.last;
  for (int slot = 0; slot < stack_.shape.strands; ++slot) {
    SequenceSet own = set;
    own.hidden = slot_rows(set.hidden, slot);
    own.residual = slot_rows(set.residual, slot);
    own.count = group.count;
    if (slot > 0) own.first_sweep.direction = kernels::opposite(own.first_sweep.direction);
    run_last_block(ctx_, stack_.blocks.back(), own, own_options, slot_rows(group.last_hidden, slot),
                   slot_rows(group.last_residual, slot));
  }
}

void StackRunner::embed(std::span<const std::int32_t> ids, const Group& group) {
  const Workspace::Scope scope(ctx_.workspace());
  // Piece after piece, as the rows lie.
  std::vector<std::int32_t> in_pieces;
  if (group.pieces.count() > 1 && group.count > 1) {
    in_pieces.reserve(ids.size());
    for (std::int64_t piece = 0; piece < group.pieces.count(); ++piece) {
      const ChunkRange range = group.pieces.range(piece);
      for (std::int64_t sequence = 0; sequence < group.count; ++sequence) {
        const auto* from = ids.data() + sequence * group.length;
        in_pieces.insert(in_pieces.end(), from + range.begin, from + range.end);
      }
    }
    ids = in_pieces;
  }
  const TensorView device_ids = ctx_.workspace().take(ElementType::i32, {group.rows()});
  ctx_.backend().copy_from_host(ctx_.stream(), device_ids.data(), ids.data(), device_ids.bytes());
  // The minus strand lies at the plus strand's positions with complemented bases; its 5' end is
  // on the right, so it is swept the other way and nothing is reversed.
  for (int slot = 0; slot < stack_.shape.strands; ++slot) {
    for (std::int64_t piece = 0; piece < group.pieces.count(); ++piece) {
      const ChunkRange range = group.pieces.range(piece);
      PartRange part = group;
      part.begin = range.begin;
      part.length = range.length();
      ops::token_embedding(ctx_,
                           device_ids.slice(range.begin * group.count, range.end * group.count),
                           slot == 1 ? stack_.complement.view() : TensorView(), stack_.embedding,
                           part_rows(group, group.hidden, slot, part, piece));
    }
  }
}

void StackRunner::run_slots(const Group& group, int first_slot, int slots, const ChunkPlan& plan,
                            StackReadOut& read_out) {
  const models::MambaStackShape& shape = stack_.shape;
  const std::int64_t slot_size = group.rows();
  SequenceSet set;
  set.hidden = group.hidden.slice(first_slot * slot_size, (first_slot + slots) * slot_size);
  set.residual = group.residual.slice(first_slot * slot_size, (first_slot + slots) * slot_size);
  set.count = group.count * slots;
  set.length = group.length;
  set.first_sweep.opposite_from = group.count;
  set.first_sweep.sequence_length = shape.bidirectional ? group.length : ops::endless;
  BlockOptions options;
  options.reverse_channels = shape.swap_strands;
  BlockContexts contexts{ctx_, side_};
  if (plan.is_mirrored()) {
    contexts.first_scan = &first_scan_;
    contexts.second_scan = &second_scan_;
  }
  for (std::int64_t layer = 0; layer < shape.n_layer; ++layer) {
    for (int slot = first_slot; slot < first_slot + slots; ++slot) {
      for_parts(group, [&](const PartRange& part, std::int64_t piece) {
        read_out.block_input(part, layer, slot != shape.plus_slot(layer),
                             part_rows(group, group.hidden, slot, part, piece));
      });
    }
    const bool first_is_plus = first_slot == shape.plus_slot(layer + 1);
    set.first_sweep.direction =
        first_is_plus ? kernels::Direction::left_to_right : kernels::Direction::right_to_left;
    options.has_residual = layer > 0;
    if (layer + 1 == shape.n_layer) {
      if (group.last) return run_last(group, set, options);
      options.wanted = read_out.wanted(group.first, group.count).value_or(every_position);
      if (plan.is_mirrored() && slots == 2) {
        options.wanted = {std::min(options.wanted.begin, group.length - options.wanted.end),
                          std::max(options.wanted.end, group.length - options.wanted.begin)};
      }
    }
    run_block(contexts, stack_.blocks[static_cast<std::size_t>(layer)], plan, set, options);
  }
}

}  // namespace ssmgen::stream
