#include "stream/block_runner.hpp"

#include <ssmgen/errors.hpp>

namespace ssmgen::stream {
namespace {

using core::TensorView;
using layers::Pass;

class BlockRun {
 public:
  BlockRun(core::Context& ctx, const layers::BiMambaBlock& block, const ChunkPlan& plan,
           const SequenceSet& set, const BlockOptions& options)
      : ctx_(ctx), block_(block), plan_(plan), set_(set), options_(options) {
    const std::int64_t rows = set.count * set.length;
    const std::int64_t d_inner = block.sizes().d_inner;
    keep_ = plan.count() == 1 || options.keep_projection;
    keep_ = keep_ && block.is_bidirectional() && block.shares_in_proj();
    if (block.is_bidirectional()) {
      mixed_ = ctx.workspace().take(set.hidden.type(), {rows, d_inner});
      if (keep_) xz_ = ctx.workspace().take(set.hidden.type(), {rows, 2 * d_inner});
    }
    if (plan.count() > 1) {
      carry_.conv_tail =
          ctx.workspace().take(core::ElementType::f32, {1, block.sizes().d_conv - 1, d_inner});
      carry_.scan_state =
          ctx.workspace().take(core::ElementType::f32, {1, d_inner, block.sizes().d_state});
    }
  }

  void first_pass() {
    run_chunks(set_.first_sweep, [this](const ChunkRange& chunk, const Steps& steps) {
      const TensorView hidden = rows(set_.hidden, chunk);
      const TensorView residual = rows(set_.residual, chunk);
      block_.norm().forward(ctx_, hidden, options_.has_residual ? residual : TensorView(), residual,
                            hidden, options_.reverse_channels);
      const TensorView xz = keep_ ? rows(xz_, chunk) : take_rows(chunk, 2);
      block_.project_in(ctx_, Pass::first, hidden, xz);
      const TensorView mixed =
          block_.is_bidirectional() ? rows(mixed_, chunk) : take_rows(chunk, 1);
      sweep(Pass::first, steps, xz, mixed, false);
      if (!block_.is_bidirectional()) block_.join(ctx_, mixed, {}, hidden);
    });
  }

  void second_pass() {
    ops::Sweep back = set_.first_sweep;
    back.direction = kernels::opposite(back.direction);
    run_chunks(back, [this](const ChunkRange& chunk, const Steps& steps) {
      // The first pass left the normed rows in `hidden`; the join replaces them.
      const TensorView hidden = rows(set_.hidden, chunk);
      const TensorView xz = keep_ ? rows(xz_, chunk) : take_rows(chunk, 2);
      if (!keep_) block_.project_in(ctx_, Pass::second, hidden, xz);
      const TensorView first = rows(mixed_, chunk);
      const TensorView second = block_.sums_sweeps() ? TensorView() : take_rows(chunk, 1);
      sweep(Pass::second, steps, xz, second ? second : first, !second);
      block_.join(ctx_, first, second, hidden);
    });
  }

 private:
  struct Steps {
    ops::Sweep sweep;
    bool is_first = true;
    bool is_last = true;
  };

  template <class Body>
  void run_chunks(const ops::Sweep& sweep, Body&& body) {
    const std::int64_t chunks = plan_.count();
    const bool rightwards = sweep.direction == kernels::Direction::left_to_right;
    for (std::int64_t step = 0; step < chunks; ++step) {
      const core::Workspace::Scope scope(ctx_.workspace());
      const std::int64_t index = rightwards ? step : chunks - 1 - step;
      body(plan_.range(index), Steps{sweep, step == 0, step == chunks - 1});
    }
  }

  // With one chunk a range covers the rows of all sequences, otherwise those of the only one.
  std::int64_t row_count(const ChunkRange& chunk) const { return chunk.length() * set_.count; }
  TensorView rows(const TensorView& whole, const ChunkRange& chunk) const {
    return whole.slice(chunk.begin * set_.count, chunk.end * set_.count);
  }
  TensorView take_rows(const ChunkRange& chunk, std::int64_t d_inners) {
    return ctx_.workspace().take(set_.hidden.type(),
                                 {row_count(chunk), d_inners * block_.sizes().d_inner});
  }

  void sweep(Pass pass, const Steps& steps, const TensorView& xz, const TensorView& mixed,
             bool accumulate) {
    const std::int64_t length = xz.shape()[0] / set_.count;
    const std::int64_t d_inner = block_.sizes().d_inner;
    block_.sweep(ctx_, pass, steps.sweep, xz.reshape({set_.count, length, 2 * d_inner}),
                 steps.is_first ? nullptr : &carry_, steps.is_last ? nullptr : &carry_,
                 mixed.reshape({set_.count, length, d_inner}), accumulate);
  }

  core::Context& ctx_;
  const layers::BiMambaBlock& block_;
  const ChunkPlan& plan_;
  const SequenceSet& set_;
  const BlockOptions& options_;
  bool keep_ = false;
  TensorView mixed_;  // (rows, d_inner): what the first pass leaves for the second
  TensorView xz_;     // (rows, 2*d_inner), when kept
  layers::MambaCarry carry_;
};

}  // namespace

void run_block(core::Context& ctx, const layers::BiMambaBlock& block, const ChunkPlan& plan,
               const SequenceSet& set, const BlockOptions& options) {
  if (plan.count() > 1 && set.count != 1) {
    throw InvalidArgument("sequences that are cut into chunks run one at a time");
  }
  const core::Workspace::Scope scope(ctx.workspace());
  BlockRun run(ctx, block, plan, set, options);
  run.first_pass();
  if (block.is_bidirectional()) run.second_pass();
}

}  // namespace ssmgen::stream
