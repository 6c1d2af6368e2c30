#include "stream/block_runner.hpp"

#include <array>
#include <memory>
#include <optional>
#include <ssmgen/errors.hpp>
#include <vector>

#include "stream/mark.hpp"

namespace ssmgen::stream {
namespace {

using core::TensorView;
using layers::MambaCarry;
using layers::Pass;

// Each chunk is visited by both sweeps. The first to come leaves the normed rows in `hidden` and
// what it gave in `mixed_`; the second puts the block's output in the place of the normed rows.
class BlockRun {
 public:
  BlockRun(const BlockContexts& contexts, const layers::BiMambaBlock& block, const ChunkPlan& plan,
           const SequenceSet& set, const BlockOptions& options)
      : block_(block),
        plan_(plan),
        set_(set),
        options_(options),
        scans_apart_(contexts.first_scan != nullptr),
        has_one_stream_(!scans_apart_ && contexts.first.stream() == contexts.second.stream()),
        sweeps_{Sweep(contexts.first, contexts.first_scan, Pass::first, set.first_sweep),
                Sweep(contexts.second, contexts.second_scan, Pass::second, set.first_sweep)},
        chunks_(static_cast<std::size_t>(plan.count())) {
    sweeps_[1].way.direction = kernels::opposite(set.first_sweep.direction);
    core::Workspace& workspace = contexts.first.workspace();
    const core::Shape rows{set.count * set.length, block.sizes().d_inner};
    const std::int64_t bytes = rows.count() * core::element_bytes(set.hidden.type());
    keep_ = block.is_bidirectional() && block.shares_in_proj() &&
            (plan.count() == 1 || scans_apart_ || bytes <= most_kept_bytes);
    if (block.is_bidirectional()) mixed_ = workspace.take(set.hidden.type(), rows);
    if (keep_) x_ = workspace.take(set.hidden.type(), rows);
    if (plan.count() == 1) return;
    for (Sweep& sweep : sweeps_) {
      for (MambaCarry& carry : sweep.carries) {
        carry = MambaCarry::take(workspace, block.sizes(), set.count);
      }
      if (scans_apart_) take_buffers(workspace, sweep);
    }
  }

  // Both sweeps at once, chunk by chunk from both ends; in the middle they pass each other.
  void run() {
    const SharedMark start = mark(sweeps_[0].ctx);
    for (const Sweep& sweep : sweeps_) {
      hold_back(sweep.ctx, start);
      hold_back(sweep.scan_ctx, start);
    }
    if (scans_apart_) {
      run_scans_apart();
    } else {
      run_in_turn();
    }
    for (const Sweep& sweep : sweeps_) {
      hold_back(sweeps_[0].ctx, mark(sweep.ctx));
      if (scans_apart_) hold_back(sweeps_[0].ctx, mark(sweep.scan_ctx));
    }
  }

 private:
  using SharedMark = std::shared_ptr<Mark>;  // null where there is one stream

  // What a visit works in when scans run apart, for the longest chunk.
  struct Buffers {
    TensorView gate;                 // (rows, d_inner)
    ops::SweepInputsTensors inputs;  // (1, rows, ...)
  };

  struct Sweep {
    Sweep(core::Context& own, core::Context* scan, Pass which, const ops::Sweep& first_way)
        : ctx(own), scan_ctx(scan != nullptr ? *scan : own), pass(which), way(first_way) {}

    core::Context& ctx;
    core::Context& scan_ctx;
    Pass pass;
    ops::Sweep way;
    std::array<MambaCarry, 2> carries;  // in turn what a chunk starts from and what it leaves
    std::array<Buffers, 2> buffers;     // in turn
  };

  // A sweep on one chunk.
  struct Visit {
    std::int64_t step = 0;
    std::size_t index = 0;  // of the chunk
    ChunkRange chunk{};
    bool is_second = false;  // of the chunk's two
    TensorView gate{};       // (count, positions, d_inner), as are the others
    TensorView mixed{};
    ops::SweepInputsTensors inputs{};
    SharedMark is_prepared{};
    SharedMark is_scanned{};
  };

  // What a chunk's visits leave for each other.
  struct Chunk {
    bool has_rows = false;  // normed, and x where it is kept
    SharedMark rows_made;
    bool is_visited = false;
    SharedMark is_scanned;  // once
  };

  // An event takes the host as long as a launch.
  SharedMark mark(const core::Context& ctx) const {
    return has_one_stream_ ? nullptr : std::make_shared<Mark>(ctx.backend(), ctx.stream());
  }
  static void hold_back(const core::Context& later, const SharedMark& mark) {
    if (mark != nullptr) mark->hold_back(later.stream());
  }

  void run_in_turn() {
    const std::size_t count = block_.is_bidirectional() ? 2 : 1;
    for (std::int64_t step = 0; step < plan_.count(); ++step) {
      for (std::size_t i = 0; i < count; ++i) {
        const core::Workspace::Scope scope(sweeps_[i].ctx.workspace());
        std::optional<Visit> visit = prepare(sweeps_[i], step);
        if (!visit) continue;
        scan(sweeps_[i], *visit);
        finish(sweeps_[i], *visit);
      }
    }
  }

  // Beside the scans of a step go the inputs of the next and the outputs of the one before.
  void run_scans_apart() {
    using Turns = std::array<std::optional<Visit>, 2>;
    std::array<Turns, 2> turns;  // of each sweep
    const auto turn = [&](std::size_t i, std::int64_t step) -> std::optional<Visit>& {
      return turns[i][static_cast<std::size_t>(step % 2)];
    };
    const auto prepare_step = [&](std::int64_t step) {
      for (std::size_t i = 0; i < 2; ++i) {
        // Its buffers are those of the step before last.
        if (turn(i, step)) hold_back(sweeps_[i].ctx, turn(i, step)->is_scanned);
        turn(i, step) = prepare(sweeps_[i], step);
      }
    };
    prepare_step(0);
    for (std::int64_t step = 0; step < plan_.count(); ++step) {
      if (step + 1 < plan_.count()) prepare_step(step + 1);
      for (std::size_t i = 0; i < 2; ++i) {
        if (turn(i, step)) scan(sweeps_[i], *turn(i, step));
      }
      for (std::size_t i = 0; i < 2; ++i) {
        if (turn(i, step)) finish(sweeps_[i], *turn(i, step));
      }
    }
  }

  // The norm on the first visit, x and the gate, and what the scan reads. Absent when nothing that
  // is wanted depends on the visit.
  std::optional<Visit> prepare(Sweep& sweep, std::int64_t step) {
    const bool rightwards = sweep.way.direction == kernels::Direction::left_to_right;
    const std::int64_t index = rightwards ? step : plan_.count() - 1 - step;
    const ChunkRange chunk = plan_.range(index);
    // A sweep ends with the last chunk that something is wanted of.
    const bool is_needed =
        rightwards ? chunk.begin < options_.wanted.end : chunk.end > options_.wanted.begin;
    if (!is_needed) return std::nullopt;

    core::Context& ctx = sweep.ctx;
    Visit visit;
    visit.step = step;
    visit.index = static_cast<std::size_t>(index);
    visit.chunk = chunk;
    make_rows(sweep, visit.index);
    Chunk& known = chunks_[visit.index];
    hold_back(ctx, known.rows_made);
    visit.is_second = known.is_visited;
    known.is_visited = true;
    const TensorView hidden = rows(set_.hidden, chunk);
    const TensorView x = keep_ ? rows(x_, chunk) : take_rows(ctx, chunk);
    if (!keep_) block_.project_x(ctx, sweep.pass, hidden, x);
    const Buffers& buffers = sweep.buffers[static_cast<std::size_t>(step % 2)];
    // Before the gate's product: on a card these find room beside a scan, a product does not.
    const layers::SelectiveSweep& pass = block_.pass(sweep.pass);
    visit.inputs = scans_apart_
                       ? cut(buffers.inputs, x.shape()[0])
                       : pass.take_inputs(ctx.workspace(), x.type(), set_.count, chunk.length());
    pass.make_inputs(ctx, sweep.way, set_.by_sequence(x), carry_in(sweep, step),
                     carry_out(sweep, step), visit.inputs);
    if (visit.is_second || !block_.sums_sweeps()) {
      const TensorView gate =
          scans_apart_ ? buffers.gate.slice(0, x.shape()[0]) : take_rows(ctx, chunk);
      block_.project_gate(ctx, sweep.pass, hidden, gate);
      visit.gate = set_.by_sequence(gate);
    }
    const bool has_own = !block_.is_bidirectional() || (visit.is_second && !block_.sums_sweeps());
    visit.mixed = set_.by_sequence(has_own ? take_rows(ctx, chunk) : rows(mixed_, chunk));
    if (scans_apart_) visit.is_prepared = mark(ctx);
    return visit;
  }

  // A chunk's normed rows, and x where it is kept, unless they are there.
  void make_rows(const Sweep& sweep, std::size_t index) {
    Chunk& known = chunks_[index];
    if (known.has_rows) return;
    const ChunkRange chunk = plan_.range(static_cast<std::int64_t>(index));
    const TensorView hidden = rows(set_.hidden, chunk);
    const TensorView residual = rows(set_.residual, chunk);
    block_.norm().forward(sweep.ctx, hidden, options_.has_residual ? residual : TensorView(),
                          residual, hidden, options_.reverse_channels);
    if (keep_) block_.project_x(sweep.ctx, sweep.pass, hidden, rows(x_, chunk));
    known.has_rows = true;
    known.rows_made = mark(sweep.ctx);
  }

  void scan(Sweep& sweep, Visit& visit) {
    hold_back(sweep.scan_ctx, visit.is_prepared);
    Chunk& known = chunks_[visit.index];
    if (visit.is_second) hold_back(sweep.scan_ctx, known.is_scanned);
    block_.pass(sweep.pass)
        .scan(sweep.scan_ctx, sweep.way, visit.inputs, visit.gate, carry_in(sweep, visit.step),
              carry_out(sweep, visit.step), visit.mixed, visit.is_second && block_.sums_sweeps());
    visit.is_scanned = mark(sweep.scan_ctx);
    if (!visit.is_second) known.is_scanned = visit.is_scanned;
  }

  // The block's output, when all is there that it is made of.
  void finish(Sweep& sweep, const Visit& visit) {
    if (block_.is_bidirectional() && !visit.is_second) return;
    hold_back(sweep.ctx, visit.is_scanned);
    const TensorView hidden = rows(set_.hidden, visit.chunk);
    const TensorView own = visit.mixed.reshape({hidden.shape()[0], block_.sizes().d_inner});
    if (!block_.is_bidirectional() || block_.sums_sweeps()) {
      block_.join(sweep.ctx, own, {}, hidden);
      return;
    }
    const TensorView there = rows(mixed_, visit.chunk);
    const bool is_second_pass = sweep.pass == Pass::second;
    block_.join(sweep.ctx, is_second_pass ? there : own, is_second_pass ? own : there, hidden);
  }

  TensorView rows(const TensorView& whole, const ChunkRange& chunk) const {
    return whole.slice(chunk.begin * set_.count, chunk.end * set_.count);
  }
  TensorView take_rows(core::Context& ctx, const ChunkRange& chunk) const {
    return ctx.workspace().take(set_.hidden.type(),
                                {chunk.length() * set_.count, block_.sizes().d_inner});
  }

  void take_buffers(core::Workspace& workspace, Sweep& sweep) const {
    const std::int64_t most = plan_.chunk_bases() * set_.count;
    const core::ElementType type = set_.hidden.type();
    for (Buffers& buffers : sweep.buffers) {
      buffers.gate = workspace.take(type, {most, block_.sizes().d_inner});
      buffers.inputs = block_.pass(sweep.pass).take_inputs(workspace, type, 1, most);
    }
  }
  ops::SweepInputsTensors cut(const ops::SweepInputsTensors& whole, std::int64_t count) const {
    const auto part = [&](const TensorView& tensor) {
      const core::Shape& shape = tensor.shape();
      return set_.by_sequence(tensor.reshape({shape[1], shape[2]}).slice(0, count));
    };
    return {part(whole.u), part(whole.p), part(whole.delta)};
  }

  const MambaCarry* carry_in(const Sweep& sweep, std::int64_t step) const {
    return step == 0 ? nullptr : &sweep.carries[static_cast<std::size_t>(step % 2)];
  }
  const MambaCarry* carry_out(const Sweep& sweep, std::int64_t step) const {
    if (step + 1 == plan_.count()) return nullptr;
    return &sweep.carries[static_cast<std::size_t>((step + 1) % 2)];
  }

  const layers::BiMambaBlock& block_;
  const ChunkPlan& plan_;
  const SequenceSet& set_;
  const BlockOptions& options_;
  bool scans_apart_;
  bool has_one_stream_;
  std::array<Sweep, 2> sweeps_;
  std::vector<Chunk> chunks_;
  bool keep_ = false;
  TensorView mixed_;  // (rows, d_inner): what a chunk's first visit leaves for the second
  TensorView x_;      // (rows, d_inner), when kept
};

}  // namespace

void run_block(const BlockContexts& contexts, const layers::BiMambaBlock& block,
               const ChunkPlan& plan, const SequenceSet& set, const BlockOptions& options) {
  if (plan.count() > 1 && set.count != 1 && !plan.is_mirrored()) {
    throw InvalidArgument("sequences that are cut into chunks run one at a time");
  }
  if (contexts.first_scan != nullptr && !block.sums_sweeps()) {
    throw InvalidArgument("scans run apart where both sweeps are summed");
  }
  const core::Workspace::Scope scope(contexts.first.workspace());
  if (plan.count() == 1) {
    // One chunk is visited twice, in turn: a second stream would only wait.
    BlockRun({contexts.first, contexts.first}, block, plan, set, options).run();
    return;
  }
  BlockRun(contexts, block, plan, set, options).run();
}

}  // namespace ssmgen::stream
