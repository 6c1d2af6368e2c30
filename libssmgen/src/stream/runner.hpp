#pragma once
// A network's runner, whatever kind of stack it is.

#include <cstdint>
#include <memory>
#include <span>

#include "models/network.hpp"
#include "stream/stack_runner.hpp"

namespace ssmgen::stream {

class Runner {
 public:
  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  virtual ~Runner() = default;

  /// ids (batch, length), each in [0, vocabulary).
  virtual void run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                   const RunOutputs& outputs) = 0;
  /// How a sequence of that length would run of which so many positions are predicted.
  /// @throws DeviceError when nothing fits.
  virtual RunPlan plan(std::int64_t length, std::int64_t predicted_rows) const = 0;
};

/// The network and the context must outlive it.
std::unique_ptr<Runner> make_runner(const models::Network& network, core::Context& ctx,
                                    const RunnerOptions& options);

}  // namespace ssmgen::stream
