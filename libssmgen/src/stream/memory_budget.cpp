#include "stream/memory_budget.hpp"

#include <algorithm>

#include "base/host_memory.hpp"
#include "base/scratch_file.hpp"

namespace ssmgen::stream {

MemoryBudget find_budget(const kernels::Backend& backend, const MemoryLimits& limits) {
  // For what kernels and libraries take by themselves, for inputs and outputs.
  const auto with_margin = [](std::int64_t bytes) {
    constexpr std::int64_t least_margin = std::int64_t{256} << 20;
    return bytes - std::max(bytes / 8, std::min(bytes / 2, least_margin));
  };
  const base::HostMemory host = base::host_memory(limits.max_memory_bytes);
  const kernels::DeviceMemory device = backend.device_memory();
  MemoryBudget budget;
  budget.device_is_host = device.total_bytes == 0;
  if (budget.device_is_host) {
    budget.device_bytes = with_margin(host.free_bytes + limits.held_bytes);
    budget.device_reason = host.reason;
  } else {
    constexpr std::int64_t share = 24;  // of the card's memory, left for its libraries
    const std::int64_t margin = device.total_bytes / share;
    std::int64_t bytes = device.free_bytes - margin;
    budget.device_reason = "free on the device";
    if (limits.device_memory_bytes > 0) {
      const std::int64_t left = limits.device_memory_bytes - device.used_bytes -
                                std::min(margin, limits.device_memory_bytes / 8);
      if (left < bytes) {
        bytes = left;
        budget.device_reason = "left of --device-memory";
      }
    }
    budget.device_bytes = std::max<std::int64_t>(0, bytes + limits.held_bytes);
    budget.host_bytes = with_margin(host.free_bytes);
    budget.host_reason = host.reason;
  }
  if (!limits.scratch.empty()) budget.scratch_bytes = base::free_disk_bytes(limits.scratch);
  return budget;
}

}  // namespace ssmgen::stream
