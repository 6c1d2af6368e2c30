#pragma once
// What memory a run may take: what is free, and what the caller allows.

#include <cstdint>
#include <string>

#include "kernels/backend.hpp"
#include "stream/run_plan.hpp"

namespace ssmgen::stream {

struct MemoryLimits {
  std::int64_t max_memory_bytes = 0;     ///< of the process on the host; 0 for none
  std::int64_t device_memory_bytes = 0;  ///< of the process on a device; 0 for none
  std::string scratch;                   ///< empty for none
  std::int64_t held_bytes = 0;  ///< of the device, which the run takes over from the one before
};

/// Leaves room for what is not planned. @throws DeviceError when the scratch folder has no answer.
MemoryBudget find_budget(const kernels::Backend& backend, const MemoryLimits& limits);

}  // namespace ssmgen::stream
