#pragma once
// A causal Mamba stack over a sequence that comes in pieces: each piece goes through all layers,
// and nothing is kept but the layers' states.

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "models/mamba_stack.hpp"
#include "stream/causal_stream.hpp"
#include "stream/stack_read_out.hpp"

namespace ssmgen::stream {

class CausalStack final : public CausalStream {
 public:
  /// @throws InvalidArgument for a stack that is not causal.
  CausalStack(const models::MambaStack& stack, core::Context& ctx);

  void feed(std::span<const std::int32_t> ids, const RunOutputs& outputs) override;
  std::vector<core::TensorView> states() const override;
  void begin_at(std::int64_t position) override { position_ = position; }

  /// The same for a piece of a sequence of a batch; part.begin is where the last one ended.
  void feed(std::span<const std::int32_t> ids, const PartRange& part, StackReadOut& read_out);

 private:
  const models::MambaStack& stack_;
  core::Context& ctx_;
  std::vector<core::Tensor> conv_tails_;   // by layer
  std::vector<core::Tensor> scan_states_;  // by layer
  std::int64_t position_ = 0;
};

}  // namespace ssmgen::stream
