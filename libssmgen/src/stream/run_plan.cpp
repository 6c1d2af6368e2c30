#include "stream/run_plan.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "core/workspace.hpp"
#include "stream/block_runner.hpp"
#include "stream/read_order.hpp"

namespace ssmgen::stream {
namespace {

using core::ElementType;

// What a smaller chunk costs in speed is worth it for a place that is nearer, down to here.
constexpr std::int64_t least_share_of_chunk = 8;

constexpr std::array places{StorePlace::device, StorePlace::host, StorePlace::scratch};

// The tensors of a pass by their rows, as the runners take them from a workspace.
class Sizes {
 public:
  explicit Sizes(const RunShape& shape) : shape_(shape) {}

  std::int64_t hidden(std::int64_t rows) const {
    return bytes(shape_.activation, rows * shape_.sizes.d_model);
  }
  std::int64_t residual(std::int64_t rows) const {
    return bytes(shape_.residual, rows * shape_.sizes.d_model);
  }
  std::int64_t inner(std::int64_t rows) const {
    return bytes(shape_.activation, rows * shape_.sizes.d_inner);
  }
  std::int64_t ids(std::int64_t rows) const { return bytes(ElementType::i32, rows); }
  // Within SelectiveSweep::forward.
  std::int64_t sweep(std::int64_t rows) const {
    const layers::MambaSizes& sizes = shape_.sizes;
    return 2 * inner(rows) + bytes(ElementType::f32, rows * (sizes.dt_rank + 2 * sizes.d_state));
  }
  std::int64_t carries(std::int64_t count) const {
    const layers::MambaSizes& sizes = shape_.sizes;
    return bytes(ElementType::f32, count * (sizes.d_conv - 1) * sizes.d_inner) +
           bytes(ElementType::f32, count * sizes.d_inner * sizes.d_state);
  }
  // From the gate's product to the block's output, beside what a chunk's buffers hold.
  std::int64_t second_visit(std::int64_t rows) const {
    const bool has_own = !shape_.sums_sweeps && shape_.is_bidirectional;
    const std::int64_t own = has_own ? inner(rows) + hidden(rows) : 0;
    const std::int64_t x = shape_.shares_in_proj ? 0 : inner(rows);
    return inner(rows) + own + x + sweep(rows);
  }
  std::int64_t read_out(std::int64_t rows) const {
    const std::int64_t piece = std::min(rows, piece_rows);
    return bytes(ElementType::i64, piece) + shape_.strands * (hidden(piece) + residual(piece)) +
           bytes(ElementType::f32, piece * shape_.vocabulary) + bytes(ElementType::f32, piece * 4);
  }

 private:
  static std::int64_t bytes(ElementType type, std::int64_t count) {
    return core::Workspace::taken_bytes(type, {count});
  }

  const RunShape& shape_;
};

std::int64_t whole_bytes(const RunShape& shape) {
  const Sizes sizes(shape);
  const std::int64_t rows = shape.strands * shape.length;
  const std::int64_t kept = shape.is_bidirectional ? 2 * sizes.inner(rows) : sizes.inner(rows);
  const std::int64_t block = kept + sizes.inner(rows) + sizes.second_visit(rows);
  return sizes.hidden(rows) + sizes.residual(rows) +
         std::max({block, sizes.ids(shape.length), sizes.read_out(shape.length)});
}

// The two sweeps at once, each with what two pieces' scans read.
std::int64_t pieces_bytes(const RunShape& shape, std::int64_t piece) {
  const Sizes sizes(shape);
  const std::int64_t rows = shape.strands * shape.length;
  const std::int64_t piece_rows = shape.strands * piece;
  const std::int64_t block = 2 * sizes.inner(rows) + 4 * sizes.carries(shape.strands) +
                             4 * (sizes.inner(piece_rows) + sizes.sweep(piece_rows));
  return sizes.hidden(rows) + sizes.residual(rows) +
         std::max({block, sizes.ids(shape.length), sizes.read_out(shape.length)});
}

RunPlan kept_plan(const RunShape& shape, std::int64_t chunk, bool has_streams) {
  const Sizes sizes(shape);
  RunPlan plan;
  plan.mode = RunMode::kept;
  plan.chunk_bases = chunk;
  const std::int64_t inner = sizes.inner(shape.length);
  std::int64_t block_inner = shape.is_bidirectional ? inner : 0;  // what the sweeps gave
  if (shape.is_bidirectional && shape.shares_in_proj && inner <= most_kept_bytes) {
    block_inner += inner;  // x
  }
  const std::int64_t own = sizes.inner(chunk) * (shape.is_bidirectional ? 1 : 2);
  const std::int64_t visit = own + sizes.second_visit(chunk);
  const std::int64_t block = block_inner + 4 * sizes.carries(1) + visit;
  plan.workspace_bytes = sizes.hidden(shape.strands * shape.length) +
                         sizes.residual(shape.strands * shape.length) +
                         std::max({block, sizes.ids(shape.length), sizes.read_out(shape.length)});
  plan.side_bytes = has_streams || shape.is_bidirectional ? visit : 0;
  plan.device_bytes = plan.workspace_bytes + plan.side_bytes;
  return plan;
}

RunPlan chunks_plan(const RunShape& shape, std::int64_t chunk) {
  const Sizes sizes(shape);
  RunPlan plan;
  plan.mode = RunMode::chunks;
  plan.chunk_bases = chunk;
  const std::int64_t block = 2 * sizes.inner(chunk) + sizes.second_visit(chunk);
  plan.workspace_bytes = sizes.hidden(chunk) + sizes.residual(chunk) +
                         std::max({block, sizes.ids(chunk), sizes.read_out(chunk)});
  plan.device_bytes = plan.workspace_bytes + shape.n_layer * sizes.carries(1);
  return plan;
}

// Adds a store of so many bytes, whose largest chunk has `chunk_bytes`.
void add_store(StorePlace place, std::int64_t bytes, std::int64_t chunk_bytes, bool device_is_host,
               RunPlan& plan) {
  const std::int64_t slots = ActivationStore::slot_count * chunk_bytes;
  if (place == StorePlace::device || (place == StorePlace::host && device_is_host)) {
    plan.device_bytes += bytes;
    return;
  }
  plan.device_bytes += slots;
  if (place == StorePlace::host) plan.host_bytes += bytes;
  if (place == StorePlace::scratch) {
    plan.scratch_bytes += bytes;
    if (!device_is_host) plan.host_bytes += slots;
  }
}

RunPlan folded_plan(const RunShape& shape, std::int64_t chunk, const RunPreference& preference,
                    bool device_is_host, StorePlace stream, StorePlace predicted) {
  const Sizes sizes(shape);
  const std::int64_t chunks = (shape.length + chunk - 1) / chunk;
  RunPlan plan;
  plan.mode = RunMode::folded;
  plan.chunk_bases = chunk;
  plan.stream = stream;
  plan.predicted = predicted;
  const std::int64_t buffers = preference.has_streams ? 2 : 1;
  const std::int64_t buffer = sizes.hidden(chunk) + 2 * sizes.inner(chunk);
  // The sweep that is redone, and its gate and x where they are its own.
  const std::int64_t redone = sizes.sweep(chunk) + (shape.sums_sweeps ? 0 : 2 * sizes.inner(chunk));
  const std::int64_t second = sizes.second_visit(chunk);
  const std::int64_t visit = preference.has_streams ? second : std::max(second, redone);
  plan.workspace_bytes =
      sizes.carries(chunks) + sizes.carries(1) + buffers * buffer +
      std::max({visit, sizes.ids(chunk) + sizes.hidden(chunk), sizes.read_out(chunk)});
  plan.side_bytes = preference.has_streams ? redone : 0;
  plan.device_bytes = plan.workspace_bytes + plan.side_bytes;
  add_store(stream, sizes.residual(shape.length), sizes.residual(chunk), device_is_host, plan);
  if (shape.strands == 2 && shape.predicted_rows > 0) {
    const std::int64_t chunk_rows = std::min(chunk, shape.predicted_rows);
    add_store(predicted, sizes.hidden(shape.predicted_rows), sizes.hidden(chunk_rows),
              device_is_host, plan);
  }
  return plan;
}

// Bytes that are not there.
std::int64_t shortage(const RunPlan& plan, const MemoryBudget& budget) {
  const auto above = [](std::int64_t wanted, std::int64_t there) {
    return std::max<std::int64_t>(0, wanted - std::max<std::int64_t>(0, there));
  };
  return above(plan.device_bytes, budget.device_bytes) + above(plan.host_bytes, budget.host_bytes) +
         above(plan.scratch_bytes, budget.scratch_bytes);
}

class Planner {
 public:
  Planner(const RunShape& shape, const MemoryBudget& budget, const RunPreference& preference)
      : shape_(shape), budget_(budget), preference_(preference) {
    const ChunkPlan cut(shape.length, preference.chunk_bases > 0 ? preference.chunk_bases
                                                                 : preference.usual_chunk_bases);
    usual_chunk_ = cut.chunk_bases();
    if (preference.chunk_bases > 0) return;
    // The states at the borders of very many chunks would weigh more than a larger chunk.
    const Sizes sizes(shape);
    while (sizes.carries(shape.length / usual_chunk_) > 2 * sizes.second_visit(usual_chunk_)) {
      usual_chunk_ *= 2;
    }
  }

  RunPlan plan() {
    const bool is_cut = preference_.chunk_bases > 0 ? usual_chunk_ < shape_.length
                                                    : shape_.length > preference_.most_whole_bases;
    if (!is_cut && is_allowed(RunMode::whole)) {
      RunPlan plan;
      plan.chunk_bases = shape_.length;
      plan.device_bytes = preference_.piece_bases > 0
                              ? pieces_bytes(shape_, preference_.piece_bases)
                              : whole_bytes(shape_);
      plan.most_together = std::max<std::int64_t>(1, budget_.device_bytes / plan.device_bytes);
      if (consider(plan)) return *found_;
    }
    const std::int64_t smallest =
        preference_.chunk_bases > 0 ? usual_chunk_ : std::min(usual_chunk_, kernels::tile_length);
    const std::int64_t small = std::max(smallest, usual_chunk_ / least_share_of_chunk);
    if (try_chunks(usual_chunk_, small) || try_chunks(small / 2, smallest)) return *found_;
    refuse();
  }

 private:
  bool is_allowed(RunMode mode) const { return !preference_.mode || *preference_.mode == mode; }
  bool is_allowed(StorePlace place) const {
    if (preference_.place) return *preference_.place == place;
    if (place == StorePlace::host) return !budget_.device_is_host;
    return place == StorePlace::device || budget_.scratch_bytes >= 0;
  }

  bool consider(const RunPlan& plan) {
    if (shortage(plan, budget_) == 0) {
      found_ = plan;
    } else if (!least_ || shortage(plan, budget_) < shortage(*least_, budget_)) {
      least_ = plan;
    }
    return found_.has_value();
  }

  template <class Body>
  bool for_chunks(std::int64_t largest, std::int64_t smallest, Body&& body) {
    for (std::int64_t chunk = largest; chunk >= smallest; chunk /= 2) {
      if (body(ChunkPlan(shape_.length, chunk).chunk_bases())) return true;
    }
    return false;
  }

  bool try_chunks(std::int64_t largest, std::int64_t smallest) {
    if (shape_.is_causal && is_allowed(RunMode::chunks)) {
      return for_chunks(largest, smallest,
                        [&](std::int64_t chunk) { return consider(chunks_plan(shape_, chunk)); });
    }
    if (is_allowed(RunMode::kept) && for_chunks(largest, smallest, [&](std::int64_t chunk) {
          return consider(kept_plan(shape_, chunk, preference_.has_streams));
        })) {
      return true;
    }
    if (!is_allowed(RunMode::folded)) return false;
    for (const StorePlace stream : places) {
      for (const StorePlace predicted : places) {
        if (!is_allowed(stream) || !is_allowed(predicted)) continue;
        if (for_chunks(largest, smallest, [&](std::int64_t chunk) {
              return consider(folded_plan(shape_, chunk, preference_, budget_.device_is_host,
                                          stream, predicted));
            })) {
          return true;
        }
      }
    }
    return false;
  }

  [[noreturn]] void refuse() const;

  const RunShape& shape_;
  const MemoryBudget& budget_;
  const RunPreference& preference_;
  std::int64_t usual_chunk_ = 0;
  std::optional<RunPlan> found_;
  std::optional<RunPlan> least_;  // of those that do not fit, what is short of the least
};

void Planner::refuse() const {
  const bool has_scratch = budget_.scratch_bytes >= 0;
  std::string needed = fmt::format("{} bytes of {}", least_->device_bytes,
                                   budget_.device_is_host ? "memory" : "device memory");
  std::string there = fmt::format("{} are there ({})", budget_.device_bytes, budget_.device_reason);
  if (least_->host_bytes > 0) {
    needed += fmt::format(", {} of host memory", least_->host_bytes);
    there += fmt::format(", {} of the host's ({})", budget_.host_bytes, budget_.host_reason);
  }
  if (least_->scratch_bytes > 0) {
    needed += fmt::format(", {} of scratch", least_->scratch_bytes);
    there += fmt::format(", {} of scratch", budget_.scratch_bytes);
  }
  throw DeviceError(fmt::format(
      "a sequence of {} bases needs at the least {} in chunks of {}, but {}: {}", shape_.length,
      needed, least_->chunk_bases, there,
      has_scratch ? "raise --max-memory or --device-memory, give a larger --scratch or a smaller "
                    "--chunk, or use --dtype bf16"
                  : "give --scratch DIR, raise --max-memory or --device-memory, or use --dtype "
                    "bf16"));
}

}  // namespace

const char* run_mode_name(RunMode mode) noexcept {
  switch (mode) {
    case RunMode::whole:
      return "whole";
    case RunMode::kept:
      return "kept";
    case RunMode::folded:
      return "folded";
    case RunMode::chunks:
      return "chunks";
  }
  return "";
}

RunShape run_shape(const models::MambaStack& stack, std::int64_t length,
                   std::int64_t predicted_rows) {
  RunShape shape;
  const layers::BiMambaBlock& block = stack.blocks.front();
  shape.sizes = stack.shape.sizes;
  shape.activation = stack.activation_type();
  shape.residual = stack.residual_type();
  shape.vocabulary = stack.shape.vocabulary;
  shape.n_layer = stack.shape.n_layer;
  shape.strands = stack.shape.strands;
  shape.is_causal = stack.shape.is_causal();
  shape.is_bidirectional = block.is_bidirectional();
  shape.shares_in_proj = block.shares_in_proj();
  shape.sums_sweeps = block.sums_sweeps();
  shape.length = length;
  shape.predicted_rows = predicted_rows;
  return shape;
}

RunPlan plan_run(const RunShape& shape, const MemoryBudget& budget,
                 const RunPreference& preference) {
  return Planner(shape, budget, preference).plan();
}

}  // namespace ssmgen::stream
