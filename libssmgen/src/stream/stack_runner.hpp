#pragma once
// Sequences through a whole stack: windows in groups that fit the caches, long sequences one at a
// time in the way that the plan for them says.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "core/context.hpp"
#include "models/mamba_stack.hpp"
#include "stream/block_runner.hpp"
#include "stream/chunk_plan.hpp"
#include "stream/folded_runner.hpp"
#include "stream/run_outputs.hpp"
#include "stream/run_plan.hpp"
#include "stream/stack_read_out.hpp"

namespace ssmgen::stream {

/// None of them ever changes a bit.
struct RunnerOptions {
  /// Sequences longer than this are cut into chunks of it; 0 chooses.
  std::int64_t chunk_bases = 0;
  /// Rows (positions x strands) that short sequences share in one pass; 0 chooses.
  std::int64_t group_rows = 0;
  std::int64_t max_memory_bytes = 0;     ///< that the process may take of the host; 0: what is free
  std::int64_t device_memory_bytes = 0;  ///< that it may take of a device; 0: what is free
  std::string scratch{};                 ///< folder for what fits neither; empty: none
  std::optional<RunMode> mode{};         ///< for tests
  std::optional<StorePlace> place{};     ///< for tests
  std::int64_t piece_unit = 0;           ///< as Backend::preferred_piece_unit(), for tests
};

class StackRunner {
 public:
  StackRunner(const models::MambaStack& stack, core::Context& ctx, const RunnerOptions& options);

  /// ids (batch, length), each in [0, vocabulary).
  void run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
           const RunOutputs& outputs);

  /// How a sequence of that length would run of which so many positions are predicted.
  /// @throws DeviceError when nothing fits.
  RunPlan plan(std::int64_t length, std::int64_t predicted_rows) const;
  /// Device memory that it and its context hold between runs, weights left out.
  std::int64_t held_device_bytes() const noexcept;

 private:
  // A part of the batch whose activations are on the device: `strands` slots of `count` sequences,
  // swept one way each, in one or in mirrored pieces (their rows: SequenceSet).
  struct Group : PartRange {
    Group(const PartRange& range, ChunkPlan cut) : PartRange(range), pieces(std::move(cut)) {}

    ChunkPlan pieces;
    core::TensorView hidden;    // (strands * count * length, d_model)
    core::TensorView residual;  // the same
    // What the last block is made of when not of all, and its rows: (strands * count * positions,
    // d_model) each.
    std::optional<ChunkRange> last;
    core::TensorView last_hidden;
    core::TensorView last_residual;
  };

  std::int64_t group_rows() const;
  std::int64_t sequences_together(std::int64_t batch, std::int64_t length) const;
  ChunkPlan pieces(std::int64_t sequences, std::int64_t length) const;
  RunPlan plan(std::int64_t length, std::int64_t predicted_rows, const ChunkPlan& pieces) const;
  std::int64_t predicted_rows(const RunOutputs& outputs, std::int64_t batch,
                              std::int64_t length) const;
  void run_group(std::span<const std::int32_t> ids, Group& group, const ChunkPlan& plan,
                 StackReadOut& read_out);
  void run_chunks(std::span<const std::int32_t> ids, const PartRange& range, const ChunkPlan& plan,
                  StackReadOut& read_out);
  void embed(std::span<const std::int32_t> ids, const Group& group);
  template <class Body>
  void for_parts(const Group& group, Body&& body) const;
  void run_slots(const Group& group, int first_slot, int slots, const ChunkPlan& plan,
                 StackReadOut& read_out);
  void plan_last_block(Group& group, const ChunkPlan& plan, const StackReadOut& read_out);
  void run_last(const Group& group, const SequenceSet& set, const BlockOptions& options);
  core::TensorView slot_rows(const core::TensorView& whole, int slot) const;
  core::TensorView part_rows(const Group& group, const core::TensorView& whole, int slot,
                             const PartRange& part, std::int64_t piece) const;

  const models::MambaStack& stack_;
  core::Context& ctx_;
  core::Context side_;         // for sweeps beside those in ctx_
  core::Context first_scan_;   // for scans beside all else ...
  core::Context second_scan_;  // ... and those the other way
  RunnerOptions options_;
  FoldedStores stores_;
};

}  // namespace ssmgen::stream
