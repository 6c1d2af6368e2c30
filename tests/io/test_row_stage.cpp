#include <filesystem>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

#include "io/row_stage.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::io {
namespace {

TEST(RowStage, GivesBackWhatItWasGivenFromMemoryAndFromDisk) {
  const ssmgen::test::TemporaryFolder folder;
  RowStage stage(folder.path().string(), 4000);
  std::vector<float> values(500);
  std::iota(values.begin(), values.end(), 1.0f);
  for (const std::int64_t size : {1000, 5000, 900, 6000}) {
    stage.resize(size);
    EXPECT_EQ(stage.is_on_disk(), size > 1000);
    stage.write(size - 500, values.data(), 500);
    stage.write(0, values.data() + 100, 100);
    std::vector<float> got(200);
    stage.read(size - 300, got.data(), 200);
    EXPECT_EQ(got, std::vector<float>(values.begin() + 200, values.begin() + 400));
    stage.read(0, got.data(), 100);
    EXPECT_EQ(got[99], 200.0f);
    // The file has no name, so none can be left behind.
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
}

TEST(RowStage, SaysWhereItCannotWrite) {
  RowStage stage("/nowhere/at/all", 0);
  ssmgen::test::expect_error<DeviceError>([&] { stage.resize(1); },
                                          {"/nowhere/at/all", "No such file", "--scratch"});
  RowStage in_proc("/proc", 0);
  ssmgen::test::expect_error<DeviceError>([&] { in_proc.resize(1); }, {"/proc", "--scratch"});
}

}  // namespace
}  // namespace ssmgen::io
