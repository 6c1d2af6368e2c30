// Outputs that stop taking bytes: an error with the system's reason, and never a file that looks
// complete.

#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "io/vcf_writer.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;
using ssmgen::test::expect_error;

class VcfWriteFailuresTest : public testing::Test {
 protected:
  std::string write(std::string_view name, std::string_view content) const {
    return folder_.write(name, content).string();
  }
  std::string at(std::string_view name) const { return (folder_.path() / name).string(); }
  VcfWriterOptions to(std::string_view name) const {
    VcfWriterOptions options;
    options.path = at(name);
    options.format = choose_vcf_format("", name);
    return options;
  }

  ssmgen::test::TemporaryFolder folder_;
};

TEST_F(VcfWriteFailuresTest, AFullDeviceIsAnErrorWithItsReason) {
  const std::string input = write("in.vcf", test::small_header() + test::small_records(100000));
  const HtsThreads pool(2);
  for (const char* type : {"v", "z", "z0", "b", "u"}) {
    for (const HtsThreads* threads : {static_cast<const HtsThreads*>(nullptr), &pool}) {
      VcfWriterOptions out;
      out.path = "/dev/full";
      out.format = choose_vcf_format(type, "");
      out.threads = threads;
      expect_error<DeviceError>([&] { test::copy_records({.path = input}, out); },
                                {"/dev/full", "No space left on device"});
    }
  }
}

TEST_F(VcfWriteFailuresTest, AFileThatMayNotGrowIsAnErrorAndLeavesThePart) {
  const std::string input = write("in.vcf", test::small_header() + test::small_records(100000));
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{200'000, old.rlim_max};
  const HtsThreads pool(2);
  for (const char* name : {"o.vcf", "o.vcf.gz", "o.bcf"}) {
    for (const HtsThreads* threads : {static_cast<const HtsThreads*>(nullptr), &pool}) {
      VcfWriterOptions out = to(name);
      out.format.level = 1;
      out.threads = threads;
      setrlimit(RLIMIT_FSIZE, &limit);
      expect_error<DeviceError>([&] { test::copy_records({.path = input}, out); },
                                {std::string(name) + ".part", "File too large"});
      setrlimit(RLIMIT_FSIZE, &old);
      EXPECT_FALSE(fs::exists(at(name)));
    }
  }
  std::signal(SIGXFSZ, previous);
}

}  // namespace
}  // namespace ssmgen::io
