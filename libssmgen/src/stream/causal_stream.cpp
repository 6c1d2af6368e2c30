#include "stream/causal_stream.hpp"

#include <ssmgen/errors.hpp>
#include <variant>

#include "stream/causal_stack.hpp"
#include "stream/s4_runner.hpp"

namespace ssmgen::stream {
namespace {

class CausalS4 final : public CausalStream {
 public:
  CausalS4(const models::S4Stack& stack, core::Context& ctx) : runner_(stack, ctx, {}), ctx_(ctx) {
    if (!stack.is_causal() || stack.config.is_block()) {
      throw InvalidArgument(not_causal);
    }
    for (const layers::S4Block& block : stack.blocks) {
      tensors_.emplace_back(ctx.backend(), core::ElementType::f32, block.sweep().carry_shape(1));
    }
  }

  void feed(std::span<const std::int32_t> ids, const RunOutputs& outputs) override {
    runner_.feed(ids, states(), position_ == 0, outputs);
    position_ += std::ssize(ids);
    ctx_.synchronize();
  }
  std::vector<core::TensorView> states() const override {
    return {tensors_.begin(), tensors_.end()};
  }
  void begin_at(std::int64_t position) override { position_ = position; }

 private:
  S4Runner runner_;
  core::Context& ctx_;
  std::vector<core::Tensor> tensors_;
  std::int64_t position_ = 0;
};

}  // namespace

std::unique_ptr<CausalStream> make_causal_stream(const models::Network& network,
                                                 core::Context& ctx) {
  if (const auto* stack = std::get_if<models::S4Stack>(&network)) {
    return std::make_unique<CausalS4>(*stack, ctx);
  }
  return std::make_unique<CausalStack>(std::get<models::MambaStack>(network), ctx);
}

}  // namespace ssmgen::stream
