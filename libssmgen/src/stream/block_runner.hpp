#pragma once
// One block over a set of sequences: a sweep one way and, when bidirectional, a sweep the other way
// at the same time, chunk by chunk, each chunk's state handed to the next.

#include <cstdint>
#include <limits>

#include "core/context.hpp"
#include "layers/bi_mamba_block.hpp"
#include "stream/chunk_plan.hpp"

namespace ssmgen::stream {

/// Sequences that go through the blocks together. Where they are cut the rows lie chunk after
/// chunk, of each chunk (count, its positions). Those that go the opposite way are cut from their
/// other end: their first chunk has their last positions.
struct SequenceSet {
  core::TensorView hidden;    ///< (count * length, d_model), replaced by the block's output
  core::TensorView residual;  ///< (count * length, d_model), updated
  std::int64_t count = 0;
  std::int64_t length = 0;
  ops::Sweep first_sweep;  ///< which way the block's first pass goes

  /// (count * some positions, channels) as (count, positions, channels).
  core::TensorView by_sequence(const core::TensorView& rows) const {
    if (!rows) return rows;
    return rows.reshape({count, rows.shape()[0] / count, rows.shape()[1]});
  }
};

/// x of all chunks is kept from the first visit for the second, in place of a second product,
/// unless a long sequence would make it larger than this.
inline constexpr std::int64_t most_kept_bytes = std::int64_t{1} << 31;

inline constexpr ChunkRange every_position{0, std::numeric_limits<std::int64_t>::max()};

struct BlockOptions {
  bool has_residual = true;       ///< false for the first block: the residual is only written
  bool reverse_channels = false;  ///< take hidden and residual in reversed channel order
  /// The positions whose output is wanted: chunks on which none of them depends are left out. Where
  /// some sequences go the opposite way, as many from either end.
  ChunkRange wanted = every_position;
};

/// Contexts of one back end. What `first` gets after a block follows all of it.
struct BlockContexts {
  core::Context& first;   ///< for the first sweep
  core::Context& second;  ///< for the second; may be the same
  /// For the two scans alone, so that beside them go the next chunks' inputs and the former ones'
  /// outputs; null to run each chunk in one.
  core::Context* first_scan = nullptr;
  core::Context* second_scan = nullptr;
};

/// More than one sequence that is cut, or some the opposite way, only for a mirrored plan.
void run_block(const BlockContexts& contexts, const layers::BiMambaBlock& block,
               const ChunkPlan& plan, const SequenceSet& set, const BlockOptions& options);

}  // namespace ssmgen::stream
