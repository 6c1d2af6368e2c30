#pragma once
// A long sequence through a stack with one residual stream a strand and nothing else of its length.
//
// A block sees both sides of a position, so a layer makes two passes over the stream. The first
// goes from right to left and makes the sweep of that direction for its states alone, of which it
// keeps those at the chunks' borders. The second goes from left to right: it makes the other sweep,
// redoes this one chunk by chunk from its border, and adds the block's output to the stream in
// place. The price is a third scan where two would do; what it saves is every array of the
// sequence's length but the stream, which may itself lie outside of the device. Strands run one
// after the other, and of the first the rows that are predicted from are kept for the second.
// Kernels get the rows that they get in other modes, so the bits are the same.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/context.hpp"
#include "models/mamba_stack.hpp"
#include "stream/activation_store.hpp"
#include "stream/run_plan.hpp"
#include "stream/stack_read_out.hpp"

namespace ssmgen::stream {

/// The stores of a run, which serve the next one of the same sizes.
struct FoldedStores {
  std::unique_ptr<ActivationStore> stream;     ///< one strand's residual
  std::unique_ptr<ActivationStore> predicted;  ///< rows of the first strand, normed
};

/// Runs one sequence, number `sequence` of its batch. `side` is a second context of the back end,
/// or `ctx` itself. `scratch` is the folder of stores in files.
void run_folded(const models::MambaStack& stack, core::Context& ctx, core::Context& side,
                const RunPlan& plan, const std::string& scratch, FoldedStores& stores,
                std::span<const std::int32_t> ids, std::int64_t sequence, StackReadOut& read_out);

}  // namespace ssmgen::stream
