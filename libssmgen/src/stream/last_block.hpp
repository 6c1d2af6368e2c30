#pragma once
// The last block of whole sequences of which few positions are read: each sweep ends with the last
// of them on its way, and the gate and what follows it are made of them alone.

#include <optional>

#include "stream/block_runner.hpp"

namespace ssmgen::stream {

/// The positions that the last block is made of when these of so many are read: from the first to
/// the last one, moved apart to where the back end may cut. Absent where that saves too little or
/// the block's sweeps are not summed before they are gated.
std::optional<ChunkRange> positions_of_last_block(const kernels::Backend& backend,
                                                  const layers::BiMambaBlock& block,
                                                  const ChunkRange& read, std::int64_t length);

/// `set`: sequences that go one way, as for run_block(); its rows are used up. `options.wanted`,
/// from positions_of_last_block(): what `hidden` and `residual` (count * wanted.length(), d_model),
/// as run_block() leaves them, get.
void run_last_block(core::Context& ctx, const layers::BiMambaBlock& block, const SequenceSet& set,
                    const BlockOptions& options, const core::TensorView& hidden,
                    const core::TensorView& residual);

}  // namespace ssmgen::stream
