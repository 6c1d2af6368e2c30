#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include "base/host_memory.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::base {
namespace {

constexpr std::int64_t gigabyte = std::int64_t{1} << 30;

// A machine of 8 GiB free, on which the process takes 1 GiB, 0.5 of it in memory.
class HostMemoryFiles : public testing::Test {
 protected:
  void SetUp() override {
    root.write("proc/meminfo", "MemTotal: 99999999 kB\nMemAvailable: 8388608 kB\n");
    const std::int64_t page = sysconf(_SC_PAGESIZE);
    root.write("proc/self/statm",
               std::to_string(gigabyte / page) + " " + std::to_string(gigabyte / 2 / page) + " 0");
  }
  HostMemory read(std::int64_t most = 0) const { return host_memory(most, root.path()); }

  const test::TemporaryFolder root;
};

TEST_F(HostMemoryFiles, IsWhatTheMachineHasFree) {
  EXPECT_EQ(read().free_bytes, 8 * gigabyte);
  EXPECT_NE(read().reason.find("machine"), std::string::npos);
}

TEST_F(HostMemoryFiles, TheGivenLimitIsOfTheWholeProcess) {
  EXPECT_EQ(read(2 * gigabyte).free_bytes, 2 * gigabyte - gigabyte / 2);
  EXPECT_NE(read(2 * gigabyte).reason.find("--max-memory"), std::string::npos);
  EXPECT_EQ(read(1).free_bytes, 0);
  EXPECT_EQ(read(100 * gigabyte).free_bytes, 8 * gigabyte);
}

TEST_F(HostMemoryFiles, AControlGroupIsBoundByThoseAboveIt) {
  root.write("proc/self/cgroup", "0::/outer/inner\n");
  root.write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  root.write("sys/fs/cgroup/outer/inner/memory.current", "5\n");
  EXPECT_EQ(read().free_bytes, 8 * gigabyte);
  root.write("sys/fs/cgroup/outer/memory.max", std::to_string(3 * gigabyte));
  root.write("sys/fs/cgroup/outer/memory.current", std::to_string(2 * gigabyte));
  EXPECT_EQ(read().free_bytes, gigabyte);
  // Files that the kernel keeps and need not are no use of memory.
  root.write("sys/fs/cgroup/outer/memory.stat",
             "anon 1\ninactive_file " + std::to_string(gigabyte) + "\n");
  EXPECT_EQ(read().free_bytes, 2 * gigabyte);
  EXPECT_NE(read().reason.find("control group"), std::string::npos);
}

TEST_F(HostMemoryFiles, ControlGroupsOfVersion1Count) {
  root.write("proc/self/cgroup", "7:cpu,cpuacct:/a\n4:hugetlb,memory:/job\n");
  root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", std::to_string(4 * gigabyte));
  root.write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", std::to_string(gigabyte));
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  root.write("sys/fs/cgroup/memory/memory.usage_in_bytes", std::to_string(gigabyte));
  EXPECT_EQ(read().free_bytes, 3 * gigabyte);
}

TEST_F(HostMemoryFiles, TheLimitOfAddressSpaceCounts) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = static_cast<rlim_t>(6 * gigabyte);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  const HostMemory memory = read();
  setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(memory.free_bytes, 5 * gigabyte);
  EXPECT_NE(memory.reason.find("ulimit -v"), std::string::npos);
}

}  // namespace
}  // namespace ssmgen::base
