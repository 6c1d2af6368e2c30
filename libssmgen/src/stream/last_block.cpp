#include "stream/last_block.hpp"

#include <algorithm>
#include <vector>

namespace ssmgen::stream {
namespace {

using core::TensorView;
using core::Workspace;
using kernels::Direction;
using layers::Pass;

// What the last block is made of is at most this part of the sequence, else copies cost more.
constexpr std::int64_t least_share = 2;

class LastBlock {
 public:
  LastBlock(core::Context& ctx, const layers::BiMambaBlock& block, const SequenceSet& set,
            const BlockOptions& options)
      : ctx_(ctx), block_(block), set_(set), all_{0, set.length}, wanted_(options.wanted) {
    block.norm().forward(ctx, set.hidden, options.has_residual ? set.residual : TensorView(),
                         set.residual, set.hidden, options.reverse_channels);
  }

  void run(const TensorView& hidden, const TensorView& residual) {
    const Workspace::Scope scope(ctx_.workspace());
    const TensorView mixed = take_inner(wanted_);
    sweep_first(mixed);
    sweep_second(mixed);
    block_.join(ctx_, mixed, {}, hidden);
    gather(set_.residual, all_, wanted_, residual);
  }

 private:
  // Without a gate, up to the last position that is wanted.
  void sweep_first(const TensorView& mixed) {
    const Workspace::Scope scope(ctx_.workspace());
    const ops::Sweep way = way_of(Pass::first);
    const bool rightwards = way.direction == Direction::left_to_right;
    const ChunkRange reach =
        rightwards ? ChunkRange{0, wanted_.end} : ChunkRange{wanted_.begin, set_.length};
    const TensorView swept = take_inner(reach);
    sweep(Pass::first, way, project_x(Pass::first, reach), {}, nullptr, nullptr, swept, false);
    gather(swept, reach, wanted_, mixed);
  }

  // The state up to the first position that is wanted, then those that are.
  void sweep_second(const TensorView& mixed) {
    const Workspace::Scope scope(ctx_.workspace());
    const ops::Sweep way = way_of(Pass::second);
    const bool rightwards = way.direction == Direction::left_to_right;
    const ChunkRange before =
        rightwards ? ChunkRange{0, wanted_.begin} : ChunkRange{wanted_.end, set_.length};
    const auto carry = layers::MambaCarry::take(ctx_.workspace(), block_.sizes(), set_.count);
    const bool has_before = before.length() > 0;
    if (has_before) {
      const Workspace::Scope inner(ctx_.workspace());
      const TensorView swept = take_inner(before);
      sweep(Pass::second, way, project_x(Pass::second, before), {}, nullptr, &carry, swept, false);
    }
    const TensorView normed = take_normed(wanted_);
    const TensorView gate = take_inner(wanted_);
    const TensorView x = take_inner(wanted_);
    block_.project_gate(ctx_, Pass::second, normed, gate);
    block_.project_x(ctx_, Pass::second, normed, x);
    sweep(Pass::second, way, x, gate, has_before ? &carry : nullptr, nullptr, mixed, true);
  }

  ops::Sweep way_of(Pass pass) const {
    ops::Sweep way = set_.first_sweep;
    if (pass == Pass::second) way.direction = kernels::opposite(way.direction);
    way.opposite_from = set_.count;
    return way;
  }

  TensorView take_inner(const ChunkRange& positions) {
    return ctx_.workspace().take(set_.hidden.type(),
                                 {set_.count * positions.length(), block_.sizes().d_inner});
  }
  TensorView take_normed(const ChunkRange& positions) {
    const TensorView rows = ctx_.workspace().take(
        set_.hidden.type(), {set_.count * positions.length(), block_.sizes().d_model});
    gather(set_.hidden, all_, positions, rows);
    return rows;
  }
  TensorView project_x(Pass pass, const ChunkRange& positions) {
    const TensorView x = take_inner(positions);
    block_.project_x(ctx_, pass, take_normed(positions), x);
    return x;
  }

  // Some of each sequence's positions, of rows that have `there` of each.
  void gather(const TensorView& rows, const ChunkRange& there, const ChunkRange& positions,
              const TensorView& out) {
    std::vector<std::int64_t> index;
    index.reserve(static_cast<std::size_t>(set_.count * positions.length()));
    for (std::int64_t sequence = 0; sequence < set_.count; ++sequence) {
      for (std::int64_t t = positions.begin; t < positions.end; ++t) {
        index.push_back(sequence * there.length() + t - there.begin);
      }
    }
    ops::gather_rows(ctx_, rows, core::take_copy(ctx_, index), out);
  }

  void sweep(Pass pass, const ops::Sweep& way, const TensorView& x, const TensorView& gate,
             const layers::MambaCarry* in, const layers::MambaCarry* out, const TensorView& mixed,
             bool accumulate) {
    block_.sweep(ctx_, pass, way, set_.by_sequence(x), set_.by_sequence(gate), in, out,
                 set_.by_sequence(mixed), accumulate);
  }

  core::Context& ctx_;
  const layers::BiMambaBlock& block_;
  const SequenceSet& set_;
  ChunkRange all_;
  ChunkRange wanted_;
};

}  // namespace

std::optional<ChunkRange> positions_of_last_block(const kernels::Backend& backend,
                                                  const layers::BiMambaBlock& block,
                                                  const ChunkRange& read, std::int64_t length) {
  if (!block.sums_sweeps()) return std::nullopt;
  const std::int64_t cut = backend.cut_length();
  const ChunkRange made{read.begin / cut * cut, std::min(length, (read.end + cut - 1) / cut * cut)};
  if (made.length() * least_share > length) return std::nullopt;
  return made;
}

void run_last_block(core::Context& ctx, const layers::BiMambaBlock& block, const SequenceSet& set,
                    const BlockOptions& options, const TensorView& hidden,
                    const TensorView& residual) {
  const Workspace::Scope scope(ctx.workspace());
  LastBlock(ctx, block, set, options).run(hidden, residual);
}

}  // namespace ssmgen::stream
