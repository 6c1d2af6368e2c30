#pragma once
// One block over a set of sequences: a sweep one way and, when bidirectional, a sweep the other way
// at the same time, chunk by chunk, each chunk's state handed to the next.

#include <cstdint>
#include <limits>

#include "core/context.hpp"
#include "layers/bi_mamba_block.hpp"
#include "stream/chunk_plan.hpp"

namespace ssmgen::stream {

/// Sequences that go through the blocks together. More than one only when the plan has one chunk.
struct SequenceSet {
  core::TensorView hidden;    ///< (count * length, d_model), replaced by the block's output
  core::TensorView residual;  ///< (count * length, d_model), updated
  std::int64_t count = 0;
  std::int64_t length = 0;
  ops::Sweep first_sweep;  ///< which way the block's first pass goes
};

/// x of all chunks is kept from the first visit for the second, in place of a second product,
/// unless a long sequence would make it larger than this.
inline constexpr std::int64_t most_kept_bytes = std::int64_t{1} << 31;

inline constexpr ChunkRange every_position{0, std::numeric_limits<std::int64_t>::max()};

struct BlockOptions {
  bool has_residual = true;       ///< false for the first block: the residual is only written
  bool reverse_channels = false;  ///< take hidden and residual in reversed channel order
  /// The positions whose output is wanted: chunks on which none of them depends are left out.
  ChunkRange wanted = every_position;
};

/// `side` is a context of the same back end for the second sweep's work; it may be `ctx`. What
/// `ctx` gets afterwards follows both.
void run_block(core::Context& ctx, core::Context& side, const layers::BiMambaBlock& block,
               const ChunkPlan& plan, const SequenceSet& set, const BlockOptions& options);

}  // namespace ssmgen::stream
