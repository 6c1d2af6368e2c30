#pragma once
// How much memory the host still has for this process.

#include <cstdint>
#include <filesystem>
#include <string>

namespace ssmgen::base {

/// Host memory that the process may still take, and why not more.
struct HostMemory {
  std::int64_t free_bytes = 0;
  std::string reason;
};

/// The least of what the machine has, what the control groups (v1, v2) leave, the limit of address
/// space and `max_memory_bytes` (0 for none). `root` is where proc and sys lie, for tests.
HostMemory host_memory(std::int64_t max_memory_bytes, const std::filesystem::path& root = "/");

}  // namespace ssmgen::base
