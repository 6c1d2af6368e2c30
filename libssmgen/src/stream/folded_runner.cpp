#include "stream/folded_runner.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <vector>

#include "ops/ops.hpp"

namespace ssmgen::stream {
namespace {

using core::ElementType;
using core::TensorView;
using core::Workspace;
using kernels::Direction;
using layers::MambaCarry;
using layers::Pass;
using Access = ActivationStore::Access;

/// What one block does to one strand.
struct Layer {
  const layers::BiMambaBlock& block;
  std::int64_t number = 0;
  int slot = 0;
  bool minus = false;  ///< the strand that comes out
  bool is_last = false;
  std::optional<Pass> rightwards{};  ///< the sweep that goes from left to right, if there is one
  std::optional<Pass> leftwards{};
  ChunkRange wanted{};  ///< chunks whose output is wanted
};

/// A chunk on its way through a block.
struct Buffer {
  TensorView normed;               ///< (rows, d_model), then the block's output
  TensorView x;                    ///< (rows, d_inner)
  TensorView mixed;                ///< (rows, d_inner): what the leftwards sweep gave
  TensorView stream;               ///< the chunk's rows in the store
  std::unique_ptr<Mark> is_begun;  ///< behind the first half of its visit
  std::unique_ptr<Mark> is_free;   ///< behind its last user
};

class FoldedRun {
 public:
  FoldedRun(const models::MambaStack& stack, core::Context& ctx, core::Context& side,
            const RunPlan& plan, const std::string& scratch, FoldedStores& stores,
            std::span<const std::int32_t> ids, std::int64_t sequence, StackReadOut& read_out)
      : stack_(stack),
        ctx_(ctx),
        side_(side),
        chunks_(std::ssize(ids), plan.chunk_bases),
        stores_(stores),
        ids_(ids),
        sequence_(sequence),
        read_out_(read_out),
        predicted_(read_out.predicted(sequence)) {
    open(stores.stream, {plan.stream, stack.residual_type(), stack.shape.sizes.d_model,
                         edges(std::nullopt), scratch});
    if (stack.shape.strands == 2 && !(predicted_ && predicted_->empty())) {
      open(stores.predicted, {plan.predicted, stack.activation_type(), stack.shape.sizes.d_model,
                              edges(predicted_), scratch});
    } else {
      stores.predicted.reset();
    }
    const layers::MambaSizes& sizes = stack.shape.sizes;
    borders_ = MambaCarry::take(ctx.workspace(), sizes, chunks_.count());
    carry_ = MambaCarry::take(ctx.workspace(), sizes, 1);
    // On two streams the next chunk's first half goes beside this one's second.
    buffers_.resize(ctx.stream() == side.stream() ? 1 : 2);
    for (Buffer& buffer : buffers_) {
      buffer.normed = take(ctx, chunks_.chunk_bases(), sizes.d_model);
      buffer.x = take(ctx, chunks_.chunk_bases(), sizes.d_inner);
      buffer.mixed = take(ctx, chunks_.chunk_bases(), sizes.d_inner);
    }
  }

  void run() {
    for (int slot = 0; slot < stack_.shape.strands; ++slot) {
      fill(slot);
      for (std::int64_t number = 0; number < stack_.shape.n_layer; ++number) {
        const Layer layer = layer_of(number, slot);
        if (layer.leftwards) keep_border_states(layer);
        run_block(layer);
      }
    }
  }

 private:
  void open(std::unique_ptr<ActivationStore>& store, const StoreLayout& layout) {
    if (store && store->layout() == layout) return;
    store.reset();  // before the next, so that both never stand side by side
    store = std::make_unique<ActivationStore>(ctx_.backend(), layout);
  }

  // How many of the positions (all, when absent) lie before each chunk's begin.
  std::vector<std::int64_t> edges(const std::optional<std::vector<std::int64_t>>& positions) const {
    std::vector<std::int64_t> result{0};
    for (std::int64_t chunk = 0; chunk < chunks_.count(); ++chunk) {
      const std::int64_t end = chunks_.range(chunk).end;
      result.push_back(positions ? std::ranges::lower_bound(*positions, end) - positions->begin()
                                 : end);
    }
    return result;
  }

  Layer layer_of(std::int64_t number, int slot) const {
    const int plus_slot = stack_.shape.plus_slot(number + 1);
    Layer layer{stack_.blocks[static_cast<std::size_t>(number)]};
    layer.number = number;
    layer.slot = slot;
    layer.minus = slot != plus_slot;
    layer.is_last = number + 1 == stack_.shape.n_layer;
    (layer.minus ? layer.leftwards : layer.rightwards) = Pass::first;
    if (layer.block.is_bidirectional()) {
      (layer.minus ? layer.rightwards : layer.leftwards) = Pass::second;
    }
    layer.wanted = {0, chunks_.count()};
    const auto positions = layer.is_last ? read_out_.wanted(sequence_, 1) : std::nullopt;
    if (positions) {
      layer.wanted.begin = positions->begin / chunks_.chunk_bases();
      layer.wanted.end = (positions->end - 1) / chunks_.chunk_bases() + 1;
    }
    return layer;
  }

  // The embedding is the stream before the first block. The minus strand lies at the plus strand's
  // positions with complemented bases.
  void fill(int slot) {
    ActivationStore& store = *stores_.stream;
    store.begin_pass(Access::write, Direction::left_to_right, {0, chunks_.count()});
    for (std::int64_t chunk = 0; chunk < chunks_.count(); ++chunk) {
      const Workspace::Scope scope(ctx_.workspace());
      const ChunkRange range = chunks_.range(chunk);
      const TensorView ids = ctx_.workspace().take(ElementType::i32, {range.length()});
      ctx_.backend().copy_from_host(ctx_.stream(), ids.data(), ids_.data() + range.begin,
                                    ids.bytes());
      const TensorView hidden = take(ctx_, range.length(), stack_.shape.sizes.d_model);
      ops::token_embedding(ctx_, ids, slot == 1 ? stack_.complement.view() : TensorView(),
                           stack_.embedding, hidden);
      read_out_.block_input(part_of(chunk), 0, slot == 1, hidden);
      stack_.final_norm.forward(ctx_, hidden, {}, store.fetch(ctx_), {}, false);
      store.give_back(ctx_);
    }
  }

  // From right to left: border `chunk` is the state with which that chunk is entered.
  void keep_border_states(const Layer& layer) {
    const ChunkRange visited{layer.wanted.begin + 1, chunks_.count()};
    if (visited.length() <= 0) return;
    ActivationStore& store = *stores_.stream;
    store.begin_pass(Access::read, Direction::right_to_left, visited);
    for (std::int64_t chunk = visited.end - 1; chunk >= visited.begin; --chunk) {
      const Buffer buffer = cut(buffers_.front(), chunk);
      norm(ctx_, layer, store.fetch(ctx_), {}, buffer.normed);
      store.give_back(ctx_);
      layer.block.project_x(ctx_, *layer.leftwards, buffer.normed, buffer.x);
      const MambaCarry in = border(chunk);
      const MambaCarry out = border(chunk - 1);
      // The outputs are not wanted; they go where x was, which the convolution has read by then.
      sweep(ctx_, layer, *layer.leftwards, buffer.x, {},
            chunk + 1 < chunks_.count() ? &in : nullptr, &out, buffer.x, false);
    }
  }

  void run_block(const Layer& layer) {
    const ChunkRange visited{layer.rightwards ? 0 : layer.wanted.begin, layer.wanted.end};
    stores_.stream->begin_pass(layer.is_last ? Access::read : Access::update,
                               Direction::left_to_right, visited);
    if (layer.is_last && stores_.predicted) {
      stores_.predicted->begin_pass(layer.slot == 0 ? Access::write : Access::read,
                                    Direction::left_to_right, layer.wanted);
    }
    Mark(ctx_.backend(), ctx_.stream()).hold_back(side_.stream());
    const auto ahead = std::ssize(buffers_) - 1;
    for (std::int64_t step = visited.begin; step < visited.end + ahead; ++step) {
      if (step < visited.end) begin_visit(layer, step);
      if (step - ahead >= visited.begin) end_visit(layer, step - ahead);
    }
  }

  // The norm, x and the leftwards sweep, redone from its border.
  void begin_visit(const Layer& layer, std::int64_t chunk) {
    const Workspace::Scope scope(side_.workspace());
    Buffer& buffer = buffer_of(chunk);
    if (buffer.is_free) buffer.is_free->hold_back(side_.stream());
    buffer.stream = stores_.stream->fetch(side_);
    const Buffer rows = cut(buffer, chunk);
    // Where the strands change halves the stream too takes the order of this block's channels.
    norm(side_, layer, buffer.stream, stack_.shape.swap_strands ? buffer.stream : TensorView(),
         rows.normed);
    layer.block.project_x(side_, layer.leftwards.value_or(Pass::first), rows.normed, rows.x);
    if (layer.leftwards && chunk >= layer.wanted.begin) {
      TensorView gate;
      if (!layer.block.sums_sweeps()) {
        gate = take(side_, rows.x.shape()[0], rows.x.shape()[1]);
        layer.block.project_gate(side_, *layer.leftwards, rows.normed, gate);
      }
      const MambaCarry in = border(chunk);
      sweep(side_, layer, *layer.leftwards, rows.x, gate,
            chunk + 1 < chunks_.count() ? &in : nullptr, nullptr, rows.mixed, false);
    }
    buffer.is_begun = std::make_unique<Mark>(side_.backend(), side_.stream());
  }

  // The rightwards sweep, the block's output and the sum that is the next block's stream.
  void end_visit(const Layer& layer, std::int64_t chunk) {
    Buffer& buffer = buffer_of(chunk);
    buffer.is_begun->hold_back(ctx_.stream());
    const Buffer rows = cut(buffer, chunk);
    if (chunk < layer.wanted.begin) {
      const Workspace::Scope scope(ctx_.workspace());
      sweep_rightwards(layer, chunk, rows, {}, rows.mixed, false);
    } else {
      make_output(layer, chunk, rows);
      if (!layer.is_last) {
        read_out_.block_input(part_of(chunk), layer.number + 1, layer.minus, rows.normed);
      }
      layer.block.norm().forward(ctx_, rows.normed, buffer.stream, buffer.stream, {}, false);
      if (layer.is_last) read_stream(layer, chunk, buffer.stream);
    }
    stores_.stream->give_back(ctx_);
    buffer.is_free = std::make_unique<Mark>(ctx_.backend(), ctx_.stream());
  }

  // Puts the block's output in the place of the normed rows.
  void make_output(const Layer& layer, std::int64_t chunk, const Buffer& rows) {
    const Workspace::Scope scope(ctx_.workspace());
    if (!layer.rightwards) {
      layer.block.join(ctx_, rows.mixed, {}, rows.normed);
      return;
    }
    const TensorView gate = take(ctx_, rows.x.shape()[0], rows.x.shape()[1]);
    layer.block.project_gate(ctx_, *layer.rightwards, rows.normed, gate);
    if (layer.block.sums_sweeps() || !layer.leftwards) {
      sweep_rightwards(layer, chunk, rows, gate, rows.mixed, layer.leftwards.has_value());
      layer.block.join(ctx_, rows.mixed, {}, rows.normed);
      return;
    }
    const TensorView own = take(ctx_, rows.x.shape()[0], rows.x.shape()[1]);
    sweep_rightwards(layer, chunk, rows, gate, own, false);
    const bool is_first = *layer.rightwards == Pass::first;
    layer.block.join(ctx_, is_first ? own : rows.mixed, is_first ? rows.mixed : own, rows.normed);
  }

  void sweep_rightwards(const Layer& layer, std::int64_t chunk, const Buffer& rows,
                        const TensorView& gate, const TensorView& mixed, bool accumulate) {
    TensorView x = rows.x;
    if (layer.leftwards && !layer.block.shares_in_proj()) {
      x = take(ctx_, x.shape()[0], x.shape()[1]);
      layer.block.project_x(ctx_, *layer.rightwards, rows.normed, x);
    }
    sweep(ctx_, layer, *layer.rightwards, x, gate, chunk > 0 ? &carry_ : nullptr,
          chunk + 1 < chunks_.count() ? &carry_ : nullptr, mixed, accumulate);
  }

  void read_stream(const Layer& layer, std::int64_t chunk, const TensorView& stream) {
    const Workspace::Scope scope(ctx_.workspace());
    StackPart part{part_of(chunk), {}};
    part.strands[layer.minus ? 1 : 0].residual = stream;
    const std::array minus{layer.minus};
    read_out_.last_hidden(part, minus);
    if (stack_.shape.strands == 1) {
      read_out_.predict(part);
      return;
    }
    if (!stores_.predicted) return;
    const TensorView kept = stores_.predicted->fetch(ctx_);
    const std::vector<std::int64_t> rows = predicted_rows(chunk);
    if (layer.slot == 0) {
      for_pieces(std::ssize(rows), [&](std::int64_t begin, std::int64_t end) {
        read_out_.norm_rows(part, layer.minus,
                            std::span(rows).subspan(static_cast<std::size_t>(begin),
                                                    static_cast<std::size_t>(end - begin)),
                            kept.slice(begin, end));
      });
    } else if (!rows.empty()) {
      part.strands[layer.minus ? 0 : 1] = {{}, {}, kept, predicted_ ? rows : no_rows};
      read_out_.predict(part);
    }
    stores_.predicted->give_back(ctx_);
  }

  // Of a chunk, ascending.
  std::vector<std::int64_t> predicted_rows(std::int64_t chunk) const {
    const ChunkRange range = chunks_.range(chunk);
    if (!predicted_) {
      std::vector<std::int64_t> rows(static_cast<std::size_t>(range.length()));
      std::iota(rows.begin(), rows.end(), std::int64_t{0});
      return rows;
    }
    std::vector<std::int64_t> rows(std::ranges::lower_bound(*predicted_, range.begin),
                                   std::ranges::lower_bound(*predicted_, range.end));
    for (std::int64_t& row : rows) row -= range.begin;
    return rows;
  }

  void norm(core::Context& ctx, const Layer& layer, const TensorView& stream,
            const TensorView& reordered, const TensorView& out) const {
    layer.block.norm().forward(ctx, {}, stream, reordered, out, stack_.shape.swap_strands);
  }

  void sweep(core::Context& ctx, const Layer& layer, Pass pass, const TensorView& x,
             const TensorView& gate, const MambaCarry* in, const MambaCarry* out,
             const TensorView& mixed, bool accumulate) const {
    const auto as_batch = [](const TensorView& rows) {
      return rows ? rows.reshape({1, rows.shape()[0], rows.shape()[1]}) : rows;
    };
    const ops::Sweep way{
        pass == layer.rightwards ? Direction::left_to_right : Direction::right_to_left, 1,
        stack_.shape.bidirectional ? std::ssize(ids_) : ops::endless};
    layer.block.sweep(ctx, pass, way, as_batch(x), as_batch(gate), in, out, as_batch(mixed),
                      accumulate);
  }

  MambaCarry border(std::int64_t chunk) const {
    return {borders_.conv_tail.slice(chunk, chunk + 1),
            borders_.scan_state.slice(chunk, chunk + 1)};
  }
  Buffer& buffer_of(std::int64_t chunk) {
    return buffers_[static_cast<std::size_t>(chunk) % buffers_.size()];
  }
  // The last chunk may be shorter than the buffers.
  Buffer cut(const Buffer& buffer, std::int64_t chunk) const {
    const std::int64_t rows = chunks_.range(chunk).length();
    return {buffer.normed.slice(0, rows),
            buffer.x.slice(0, rows),
            buffer.mixed.slice(0, rows),
            {},
            nullptr,
            nullptr};
  }
  TensorView take(core::Context& ctx, std::int64_t rows, std::int64_t channels) const {
    return ctx.workspace().take(stack_.activation_type(), {rows, channels});
  }
  PartRange part_of(std::int64_t chunk) const {
    const ChunkRange range = chunks_.range(chunk);
    return {sequence_, 1, range.begin, range.length(), std::ssize(ids_)};
  }

  static constexpr std::span<const std::int64_t> no_rows{};

  const models::MambaStack& stack_;
  core::Context& ctx_;
  core::Context& side_;
  ChunkPlan chunks_;
  FoldedStores& stores_;
  std::span<const std::int32_t> ids_;
  std::int64_t sequence_;
  StackReadOut& read_out_;
  std::optional<std::vector<std::int64_t>> predicted_;  // positions; absent for all
  MambaCarry borders_;                                  // of the leftwards sweep
  MambaCarry carry_;                                    // of the rightwards one
  std::vector<Buffer> buffers_;
};

}  // namespace

void run_folded(const models::MambaStack& stack, core::Context& ctx, core::Context& side,
                const RunPlan& plan, const std::string& scratch, FoldedStores& stores,
                std::span<const std::int32_t> ids, std::int64_t sequence, StackReadOut& read_out) {
  const Workspace::Scope scope(ctx.workspace());
  // A run that fails leaves stores behind with chunks on their way: they serve no other.
  FoldedStores own = std::exchange(stores, {});
  FoldedRun(stack, ctx, side, plan, scratch, own, ids, sequence, read_out).run();
  ctx.synchronize();
  stores = std::move(own);
}

}  // namespace ssmgen::stream
