#include "stream/block_runner.hpp"

#include <memory>
#include <ssmgen/errors.hpp>
#include <vector>

#include "stream/mark.hpp"

namespace ssmgen::stream {
namespace {

using core::TensorView;
using layers::Pass;

class BlockRun {
 public:
  BlockRun(core::Context& ctx, core::Context& side, const layers::BiMambaBlock& block,
           const ChunkPlan& plan, const SequenceSet& set, const BlockOptions& options)
      : block_(block),
        plan_(plan),
        set_(set),
        options_(options),
        sweeps_{Sweep{ctx, Pass::first, set.first_sweep, {}},
                Sweep{side, Pass::second, set.first_sweep, {}}},
        visits_(static_cast<std::size_t>(plan.count())) {
    sweeps_[1].way.direction = kernels::opposite(set.first_sweep.direction);
    const layers::MambaSizes& sizes = block.sizes();
    const core::Shape rows{set.count * set.length, sizes.d_inner};
    const std::int64_t bytes = rows.count() * core::element_bytes(set.hidden.type());
    keep_ = block.is_bidirectional() && block.shares_in_proj() &&
            (plan.count() == 1 || bytes <= most_kept_bytes);
    if (block.is_bidirectional()) mixed_ = ctx.workspace().take(set.hidden.type(), rows);
    if (keep_) x_ = ctx.workspace().take(set.hidden.type(), rows);
    if (plan.count() == 1) return;
    for (Sweep& sweep : sweeps_) {
      for (layers::MambaCarry& carry : sweep.carries) {
        carry.conv_tail =
            ctx.workspace().take(core::ElementType::f32, {1, sizes.d_conv - 1, sizes.d_inner});
        carry.scan_state =
            ctx.workspace().take(core::ElementType::f32, {1, sizes.d_inner, sizes.d_state});
      }
    }
  }

  // Both sweeps at once, chunk by chunk from both ends; in the middle they pass each other.
  void run() {
    mark(sweeps_[0]).hold_back(sweeps_[1].ctx.stream());
    for (std::int64_t step = 0; step < plan_.count(); ++step) {
      visit(sweeps_[0], step);
      if (block_.is_bidirectional()) visit(sweeps_[1], step);
    }
    mark(sweeps_[1]).hold_back(sweeps_[0].ctx.stream());
  }

 private:
  struct Sweep {
    core::Context& ctx;
    Pass pass;
    ops::Sweep way;
    layers::MambaCarry carries[2];  // in turn what a chunk starts from and what it leaves
  };

  static Mark mark(const Sweep& sweep) { return {sweep.ctx.backend(), sweep.ctx.stream()}; }

  void visit(Sweep& sweep, std::int64_t step) {
    const core::Workspace::Scope scope(sweep.ctx.workspace());
    const bool rightwards = sweep.way.direction == kernels::Direction::left_to_right;
    const std::int64_t index = rightwards ? step : plan_.count() - 1 - step;
    const ChunkRange chunk = plan_.range(index);
    // A sweep ends with the last chunk that something is wanted of.
    const bool is_needed =
        rightwards ? chunk.begin < options_.wanted.end : chunk.end > options_.wanted.begin;
    if (!is_needed) return;
    std::unique_ptr<Mark>& first_visit = visits_[static_cast<std::size_t>(index)];
    if (first_visit == nullptr) {
      visit_first(sweep, step, chunk);
      first_visit = std::make_unique<Mark>(sweep.ctx.backend(), sweep.ctx.stream());
    } else {
      first_visit->hold_back(sweep.ctx.stream());
      visit_second(sweep, step, chunk);
    }
  }

  // Leaves the normed rows in `hidden` and what the sweep gave in `mixed_`.
  void visit_first(Sweep& sweep, std::int64_t step, const ChunkRange& chunk) {
    const TensorView hidden = rows(set_.hidden, chunk);
    const TensorView residual = rows(set_.residual, chunk);
    block_.norm().forward(sweep.ctx, hidden, options_.has_residual ? residual : TensorView(),
                          residual, hidden, options_.reverse_channels);
    const TensorView x = keep_ ? rows(x_, chunk) : take_rows(sweep, chunk);
    block_.project_x(sweep.ctx, sweep.pass, hidden, x);
    TensorView gate;
    if (!block_.sums_sweeps()) {
      gate = take_rows(sweep, chunk);
      block_.project_gate(sweep.ctx, sweep.pass, hidden, gate);
    }
    const TensorView mixed =
        block_.is_bidirectional() ? rows(mixed_, chunk) : take_rows(sweep, chunk);
    run_sweep(sweep, step, x, gate, mixed, false);
    if (!block_.is_bidirectional()) block_.join(sweep.ctx, mixed, {}, hidden);
  }

  // Puts the block's output in the place of the normed rows.
  void visit_second(Sweep& sweep, std::int64_t step, const ChunkRange& chunk) {
    const TensorView hidden = rows(set_.hidden, chunk);
    const TensorView x = keep_ ? rows(x_, chunk) : take_rows(sweep, chunk);
    if (!keep_) block_.project_x(sweep.ctx, sweep.pass, hidden, x);
    const TensorView gate = take_rows(sweep, chunk);
    block_.project_gate(sweep.ctx, sweep.pass, hidden, gate);
    const TensorView there = rows(mixed_, chunk);
    if (block_.sums_sweeps()) {
      run_sweep(sweep, step, x, gate, there, true);
      block_.join(sweep.ctx, there, {}, hidden);
      return;
    }
    const TensorView own = take_rows(sweep, chunk);
    run_sweep(sweep, step, x, gate, own, false);
    const bool is_second_pass = sweep.pass == Pass::second;
    block_.join(sweep.ctx, is_second_pass ? there : own, is_second_pass ? own : there, hidden);
  }

  // With one chunk a range covers the rows of all sequences, otherwise those of the only one.
  TensorView rows(const TensorView& whole, const ChunkRange& chunk) const {
    return whole.slice(chunk.begin * set_.count, chunk.end * set_.count);
  }
  TensorView take_rows(const Sweep& sweep, const ChunkRange& chunk) {
    return sweep.ctx.workspace().take(set_.hidden.type(),
                                      {chunk.length() * set_.count, block_.sizes().d_inner});
  }

  void run_sweep(const Sweep& sweep, std::int64_t step, const TensorView& x, const TensorView& gate,
                 const TensorView& mixed, bool accumulate) {
    const auto by_sequence = [&](const TensorView& rows) {
      if (!rows) return rows;
      return rows.reshape({set_.count, rows.shape()[0] / set_.count, rows.shape()[1]});
    };
    block_.sweep(sweep.ctx, sweep.pass, sweep.way, by_sequence(x), by_sequence(gate),
                 step == 0 ? nullptr : &sweep.carries[step % 2],
                 step == plan_.count() - 1 ? nullptr : &sweep.carries[(step + 1) % 2],
                 by_sequence(mixed), accumulate);
  }

  const layers::BiMambaBlock& block_;
  const ChunkPlan& plan_;
  const SequenceSet& set_;
  const BlockOptions& options_;
  Sweep sweeps_[2];
  std::vector<std::unique_ptr<Mark>> visits_;  // a chunk's first
  bool keep_ = false;
  TensorView mixed_;  // (rows, d_inner): what a chunk's first visit leaves for the second
  TensorView x_;      // (rows, d_inner), when kept
};

}  // namespace

void run_block(core::Context& ctx, core::Context& side, const layers::BiMambaBlock& block,
               const ChunkPlan& plan, const SequenceSet& set, const BlockOptions& options) {
  if (plan.count() > 1 && set.count != 1) {
    throw InvalidArgument("sequences that are cut into chunks run one at a time");
  }
  const core::Workspace::Scope scope(ctx.workspace());
  // One chunk is visited twice, in turn: a second stream would only wait.
  BlockRun(ctx, plan.count() == 1 ? ctx : side, block, plan, set, options).run();
}

}  // namespace ssmgen::stream
