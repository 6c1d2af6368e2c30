#include "base/host_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace ssmgen::base {
namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

// A file of one number; absent when it is not there or says "max".
std::optional<std::int64_t> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, unlimited));
}

// The number after `key` in a file of lines.
std::optional<std::int64_t> number_of(const std::filesystem::path& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return std::nullopt;
}

struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* cache;  // of memory.stat: what the kernel gives back when asked
};
constexpr GroupFiles version_1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file"};
constexpr GroupFiles version_2{"memory.max", "memory.current", "inactive_file"};

std::int64_t left_in_group(const std::filesystem::path& folder, const GroupFiles& files) {
  const auto limit = number_in(folder / files.limit);
  const auto usage = number_in(folder / files.usage);
  if (!limit || !usage) return unlimited;
  const std::int64_t cache = number_of(folder / "memory.stat", files.cache).value_or(0);
  return std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, *usage - cache));
}

// A group is bound by those above it too.
std::int64_t left_in_groups(const std::filesystem::path& mount, const std::string& group,
                            const GroupFiles& files) {
  std::int64_t left = left_in_group(mount, files);
  std::filesystem::path folder = mount;
  for (const auto& part : std::filesystem::path(group).relative_path()) {
    folder /= part;
    left = std::min(left, left_in_group(folder, files));
  }
  return left;
}

std::int64_t left_in_control_groups(const std::filesystem::path& root) {
  std::int64_t left = unlimited;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      left = std::min(left, left_in_groups(root / "sys/fs/cgroup", group, version_2));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      left = std::min(left, left_in_groups(root / "sys/fs/cgroup/memory", group, version_1));
    }
  }
  return left;
}

// Of the process, in bytes: its address space and what of it is in memory.
std::pair<std::int64_t, std::int64_t> process_bytes(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/self/statm");
  std::int64_t space = 0;
  std::int64_t resident = 0;
  file >> space >> resident;
  const std::int64_t page = sysconf(_SC_PAGESIZE);
  return {space * page, resident * page};
}

}  // namespace

HostMemory host_memory(std::int64_t max_memory_bytes, const std::filesystem::path& root) {
  HostMemory memory{unlimited, "no limit"};
  const auto consider = [&memory](std::int64_t bytes, const std::string& reason) {
    if (bytes < memory.free_bytes) memory = {std::max<std::int64_t>(0, bytes), reason};
  };
  const auto [space, resident] = process_bytes(root);
  if (const auto available = number_of(root / "proc/meminfo", "MemAvailable:")) {
    consider(*available * 1024, "free on this machine");
  }
  consider(left_in_control_groups(root), "left of the control group's memory");
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    consider(static_cast<std::int64_t>(limit.rlim_cur) - space,
             "left of the address space that ulimit -v allows");
  }
  if (max_memory_bytes > 0) consider(max_memory_bytes - resident, "left of --max-memory");
  return memory;
}

}  // namespace ssmgen::base
