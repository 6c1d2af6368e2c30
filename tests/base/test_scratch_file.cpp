#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "base/scratch_file.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::base {
namespace {

TEST(ScratchFile, GivesBackWhatWasWrittenAndHasNoName) {
  const test::TemporaryFolder folder;
  ScratchFile file(folder.path().string());
  const std::string text = "between the lines";
  const auto count = static_cast<std::int64_t>(text.size());
  constexpr std::int64_t far = std::int64_t{5} << 30;
  file.write(far, text.data(), count);
  file.write(7, text.data() + 8, 3);
  std::string got(text.size(), '?');
  file.read(far, got.data(), count);
  EXPECT_EQ(got, text);
  file.read(7, got.data(), 3);
  EXPECT_EQ(got.substr(0, 3), "the");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ScratchFile, SaysWhatItCannotDo) {
  test::expect_error<DeviceError>([] { ScratchFile("/nowhere/at/all"); },
                                  {"/nowhere/at/all", "No such file", "--scratch"});
  test::expect_error<DeviceError>([] { free_disk_bytes("/nowhere/at/all"); },
                                  {"/nowhere/at/all", "free space"});
  const test::TemporaryFolder folder;
  EXPECT_GT(free_disk_bytes(folder.path().string()), 0);
  const ScratchFile file(folder.path().string());
  char byte = 0;
  test::expect_error<DeviceError>([&] { file.read(0, &byte, 1); }, {"ends early"});
}

}  // namespace
}  // namespace ssmgen::base
