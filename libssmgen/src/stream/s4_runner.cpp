#include "stream/s4_runner.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "ops/ops.hpp"
#include "stream/memory_budget.hpp"
#include "stream/token_ids.hpp"

namespace ssmgen::stream {
namespace {

using core::ElementType;
using core::TensorView;
using core::Workspace;
using kernels::Direction;

}  // namespace

S4Runner::S4Runner(const models::S4Stack& stack, core::Context& ctx, const RunnerOptions& options)
    : stack_(stack), ctx_(ctx), options_(options) {}

bool S4Runner::norms_first() const noexcept {
  return stack_.config.prenorm && !stack_.config.is_block();
}

std::int64_t S4Runner::chunk_bases_for(std::int64_t length) const {
  const std::int64_t chunk =
      options_.chunk_bases > 0 ? options_.chunk_bases : ctx_.backend().preferred_rows();
  return ChunkPlan(length, chunk).chunk_bases();
}

// About: a layer's arrays of the length, and a chunk on its way through a block.
RunPlan S4Runner::plan(std::int64_t length, std::int64_t /*predicted_rows*/) const {
  const std::int64_t element = core::element_bytes(stack_.activation_type());
  RunPlan plan;
  plan.chunk_bases = chunk_bases_for(length);
  const bool is_cut = plan.chunk_bases < length;
  plan.mode = !is_cut ? RunMode::whole : stack_.is_causal() ? RunMode::chunks : RunMode::kept;
  const std::int64_t rows = plan.mode == RunMode::chunks ? plan.chunk_bases : length;
  constexpr std::int64_t chunk_arrays = 8;
  plan.workspace_bytes = stack_.config.d_model * (rows * (2 * element + (norms_first() ? 4 : 0)) +
                                                  plan.chunk_bases * chunk_arrays * element);
  plan.device_bytes = plan.workspace_bytes;
  MemoryLimits limits;
  limits.max_memory_bytes = options_.max_memory_bytes;
  limits.device_memory_bytes = options_.device_memory_bytes;
  limits.held_bytes = ctx_.workspace().workspace_bytes();
  const MemoryBudget budget = find_budget(ctx_.backend(), limits);
  if (plan.device_bytes > budget.device_bytes) {
    throw DeviceError(fmt::format(
        "a sequence of {} bases needs about {} bytes of memory, and {} are there ({}): use a "
        "machine with more, shorter windows or --dtype bf16",
        length, plan.device_bytes, budget.device_bytes, budget.device_reason));
  }
  return plan;
}

void S4Runner::check_ids(std::span<const std::int32_t> ids, std::int64_t batch,
                         std::int64_t length) const {
  if (stack_.config.is_block()) {
    throw InvalidArgument(
        "a single S4 block has no tokens: it runs on given channels (Model::forward_channels)");
  }
  check_token_ids(ids, batch, length, stack_.config.vocab_size);
}

S4Runner::Fill S4Runner::embedding_of(std::span<const std::int32_t> ids) {
  return [this, ids](const S4Part& part) {
    const Workspace::Scope scope(ctx_.workspace());
    const TensorView device_ids = ctx_.workspace().take(ElementType::i32, {part.rows()});
    ctx_.backend().copy_from_host(ctx_.stream(), device_ids.data(), ids.data() + part.first_row(),
                                  device_ids.bytes());
    ops::token_embedding(ctx_, device_ids, {}, stack_.embedding, part.hidden);
  };
}

void S4Runner::run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                   const RunOutputs& outputs) {
  check_ids(ids, batch, length);
  S4ReadOut read_out(stack_, ctx_, outputs, batch, length);
  run_parts(batch, length, embedding_of(ids), read_out);
}

void S4Runner::feed(std::span<const std::int32_t> ids, std::span<const TensorView> states,
                    bool is_first, const RunOutputs& outputs) {
  const std::int64_t length = std::ssize(ids);
  check_ids(ids, 1, length);
  S4ReadOut read_out(stack_, ctx_, outputs, 1, length);
  S4Part part;
  part.count = 1;
  part.length = part.whole_length = length;
  run_causal_piece(part, states, is_first, embedding_of(ids), read_out);
}

void S4Runner::run_block(std::span<const float> in, std::int64_t batch, std::int64_t length,
                         std::span<float> out) {
  const std::int64_t channels = stack_.config.d_model;
  if (!stack_.config.is_block()) {
    throw InvalidArgument("a language model runs on token ids, not on given channels");
  }
  const auto size = static_cast<std::size_t>(batch * length * channels);
  if (batch < 1 || length < 1 || in.size() != size || out.size() != size) {
    throw InvalidArgument(fmt::format("{} values given for {} sequences of {} x {} channels",
                                      in.size(), batch, length, channels));
  }
  RunOutputs outputs;
  outputs.last_hidden_state = out.data();
  S4ReadOut read_out(stack_, ctx_, outputs, batch, length);
  const Fill upload = [&](const S4Part& part) {
    const auto rows = in.subspan(static_cast<std::size_t>(part.first_row() * channels),
                                 static_cast<std::size_t>(part.rows() * channels));
    const core::Tensor values =
        core::upload(ctx_.backend(), rows, stack_.dtype, part.hidden.shape());
    ctx_.backend().copy(ctx_.stream(), part.hidden.data(), values.view().data(),
                        part.hidden.bytes());
    ctx_.synchronize();
  };
  run_parts(batch, length, upload, read_out);
}

void S4Runner::run_parts(std::int64_t batch, std::int64_t length, const Fill& fill,
                         S4ReadOut& read_out) {
  const std::int64_t wanted =
      options_.group_rows > 0 ? options_.group_rows : ctx_.backend().preferred_rows();
  const bool is_cut = chunk_bases_for(length) < length;
  const std::int64_t per_part = is_cut ? 1 : std::max<std::int64_t>(1, wanted / length);
  for (std::int64_t first = 0; first < batch; first += per_part) {
    const Workspace::Scope scope(ctx_.workspace());
    S4Part part;
    part.first = first;
    part.count = std::min(per_part, batch - first);
    part.length = length;
    part.whole_length = length;
    if (is_cut && stack_.is_causal()) {
      run_causal_chunks(part, fill, read_out);
    } else {
      run_whole(part, fill, read_out);
    }
  }
}

void S4Runner::take_rows(S4Part& part) {
  const core::Shape shape{part.rows(), stack_.config.d_model};
  part.hidden = ctx_.workspace().take(stack_.activation_type(), shape);
  if (norms_first()) part.residual = ctx_.workspace().take(ElementType::f32, shape);
}

void S4Runner::run_whole(const S4Part& shape, const Fill& fill, S4ReadOut& read_out) {
  S4Part part = shape;
  take_rows(part);
  fill(part);
  const ChunkPlan plan(part.length, chunk_bases_for(part.length));
  for (std::size_t layer = 0; layer < stack_.blocks.size(); ++layer) {
    read_out.block_input(part, static_cast<std::int64_t>(layer));
    run_layer(layer, part, plan, {});
  }
  read_out.end(part);
}

void S4Runner::run_causal_chunks(const S4Part& shape, const Fill& fill, S4ReadOut& read_out) {
  const ChunkPlan plan(shape.length, chunk_bases_for(shape.length));
  std::vector<TensorView> states;
  for (const layers::S4Block& block : stack_.blocks) {
    states.push_back(ctx_.workspace().take(ElementType::f32, block.sweep().carry_shape(1)));
  }
  for (std::int64_t chunk = 0; chunk < plan.count(); ++chunk) {
    S4Part part = shape;
    part.begin = plan.range(chunk).begin;
    part.length = plan.range(chunk).length();
    run_causal_piece(part, states, chunk == 0, fill, read_out);
  }
}

void S4Runner::run_causal_piece(S4Part part, std::span<const TensorView> states, bool is_first,
                                const Fill& fill, S4ReadOut& read_out) {
  const Workspace::Scope scope(ctx_.workspace());
  take_rows(part);
  fill(part);
  const ChunkPlan whole(part.length, 0);
  // A piece that ends elsewhere is the last, and leaves no state.
  const bool leaves_state = part.length % kernels::tile_length == 0;
  for (std::size_t layer = 0; layer < stack_.blocks.size(); ++layer) {
    read_out.block_input(part, static_cast<std::int64_t>(layer));
    run_layer(
        layer, part, whole,
        {is_first ? TensorView() : states[layer], leaves_state ? states[layer] : TensorView()});
  }
  read_out.end(part);
}

void S4Runner::run_layer(std::size_t layer, const S4Part& part, const ChunkPlan& plan,
                         const Carry& carry) {
  const Workspace::Scope scope(ctx_.workspace());
  const layers::S4Block& block = stack_.blocks[layer];
  const std::int64_t channels = stack_.config.d_model;
  // With one chunk a range covers the rows of all sequences, otherwise those of the only one.
  const auto rows = [&](const TensorView& whole, const ChunkRange& range) {
    return whole.slice(range.begin * part.count, range.end * part.count);
  };
  const auto sequences = [&](const TensorView& view) {
    return view.reshape({part.count, view.shape()[0] / part.count, channels});
  };
  const TensorView mixed_rows = ctx_.workspace().take(part.hidden.type(), part.hidden.shape());
  TensorView state;
  if (plan.count() > 1) {
    state = ctx_.workspace().take(ElementType::f32, block.sweep().carry_shape(1));
  }
  const auto sweep = [&](Direction direction, auto&& before, auto&& after) {
    for (std::int64_t step = 0; step < plan.count(); ++step) {
      const bool rightwards = direction == Direction::left_to_right;
      const ChunkRange range = plan.range(rightwards ? step : plan.count() - 1 - step);
      const TensorView hidden = rows(part.hidden, range);
      const TensorView mixed = rows(mixed_rows, range);
      before(hidden, range);
      block.sweep().forward(ctx_, direction, sequences(hidden), step > 0 ? state : carry.in,
                            step + 1 < plan.count() ? state : carry.out, sequences(mixed),
                            !rightwards);
      after(mixed, hidden);
    }
  };
  const auto norm = [&](const TensorView& hidden, const ChunkRange& range) {
    if (!norms_first()) return;
    const TensorView residual = rows(part.residual, range);
    block.norm().forward(ctx_, hidden, layer > 0 ? residual : TensorView(), residual, hidden,
                         false);
  };
  const auto nothing = [](const TensorView&, const auto&) {};
  const auto end = [&](const TensorView& mixed, const TensorView& hidden) {
    finish(block, mixed, hidden);
  };
  if (!block.is_bidirectional()) {
    sweep(Direction::left_to_right, norm, end);
    return;
  }
  sweep(Direction::left_to_right, norm, nothing);
  sweep(Direction::right_to_left, nothing, end);
}

void S4Runner::finish(const layers::S4Block& block, const TensorView& mixed,
                      const TensorView& hidden) {
  if (norms_first() || stack_.config.is_block()) {
    block.finish(ctx_, mixed, hidden);
    return;
  }
  const Workspace::Scope scope(ctx_.workspace());
  const TensorView out = ctx_.workspace().take(hidden.type(), hidden.shape());
  block.finish(ctx_, mixed, out);
  block.norm().forward(ctx_, out, hidden, {}, hidden, false);
}

}  // namespace ssmgen::stream
