#include "stream/runner.hpp"

#include "stream/s4_runner.hpp"

namespace ssmgen::stream {
namespace {

class MambaRunner final : public Runner {
 public:
  MambaRunner(const models::MambaStack& stack, core::Context& ctx, const RunnerOptions& options)
      : runner_(stack, ctx, options) {}

  void run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
           const RunOutputs& outputs) override {
    runner_.run(ids, batch, length, outputs);
  }
  RunPlan plan(std::int64_t length, std::int64_t predicted_rows) const override {
    return runner_.plan(length, predicted_rows);
  }

 private:
  StackRunner runner_;
};

}  // namespace

std::unique_ptr<Runner> make_runner(const models::Network& network, core::Context& ctx,
                                    const RunnerOptions& options) {
  if (const auto* stack = std::get_if<models::S4Stack>(&network)) {
    return std::make_unique<S4Runner>(*stack, ctx, options);
  }
  return std::make_unique<MambaRunner>(std::get<models::MambaStack>(network), ctx, options);
}

}  // namespace ssmgen::stream
