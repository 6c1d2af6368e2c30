#include <cstddef>
#include <filesystem>
#include <gtest/gtest.h>
#include <span>
#include <ssmgen/errors.hpp>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::base {
namespace {

using test::expect_error;

class FilesTest : public testing::Test {
 protected:
  std::filesystem::path make(std::string_view name, std::string_view content) const {
    return temporary_.write(name, content);
  }

  test::TemporaryFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_F(FilesTest, TellsWhatStandsAtAPath) {
  const auto file = make("a", "xyz");
  std::filesystem::create_symlink(file, folder_ / "link");
  std::filesystem::create_symlink(folder_ / "nowhere", folder_ / "dangling");
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(path_kind(file), PathKind::file);
  EXPECT_EQ(path_kind(folder_ / "link"), PathKind::file);
  EXPECT_EQ(path_kind(folder_), PathKind::directory);
  EXPECT_EQ(path_kind(folder_ / "fifo"), PathKind::other);
  EXPECT_EQ(path_kind(folder_ / "absent"), PathKind::missing);
  EXPECT_EQ(path_kind(folder_ / "dangling"), PathKind::missing);
  EXPECT_EQ(path_kind(file / "below"), PathKind::missing);
  EXPECT_TRUE(file_exists(file));
  EXPECT_FALSE(file_exists(folder_));
  EXPECT_EQ(file_bytes(file), 3);
}

TEST_F(FilesTest, ALoopOfLinksIsAnErrorThatNamesIt) {
  std::filesystem::create_symlink(folder_ / "b", folder_ / "a");
  std::filesystem::create_symlink(folder_ / "a", folder_ / "b");
  expect_error([&] { path_kind(folder_ / "a"); }, {(folder_ / "a").string()});
}

TEST_F(FilesTest, ReadsAFileWhole) {
  const std::string content("one\0two\n", 8);
  EXPECT_EQ(read_file(make("a", content)), content);
  EXPECT_EQ(read_file(make("empty", "")), "");
  const std::string long_content(100'000, 'q');
  EXPECT_EQ(read_file(make("long", long_content)), long_content);
  // A file that does not state its size.
  EXPECT_NE(read_file("/proc/self/status").find("Pid:"), std::string::npos);
}

TEST_F(FilesTest, ReadingRefusesMoreThanAllowed) {
  const auto path = make("a", "12345");
  EXPECT_EQ(read_file(path, 5), "12345");
  expect_error([&] { read_file(path, 4); }, {path.string(), "4 bytes"});
}

TEST_F(FilesTest, MapsAFile) {
  MappedFile file(make("a", "content"));
  EXPECT_EQ(as_text(file.bytes()), "content");
  MappedFile moved(std::move(file));
  EXPECT_EQ(as_text(moved.bytes()), "content");
  MappedFile assigned;
  assigned = std::move(moved);
  EXPECT_EQ(as_text(assigned.bytes()), "content");
  EXPECT_TRUE(MappedFile(make("empty", "")).bytes().empty());
}

TEST_F(FilesTest, ErrorsNamePathAndCause) {
  const auto absent = folder_ / "absent";
  const std::string no_such_file = "No such file or directory";
  expect_error([&] { read_file(absent); }, {absent.string(), no_such_file});
  expect_error([&] { MappedFile file(absent); }, {absent.string(), no_such_file});
  expect_error([&] { file_bytes(absent); }, {absent.string(), no_such_file});

  expect_error([&] { read_file(folder_); }, {folder_.string(), "a directory"});
  expect_error([&] { MappedFile file(folder_); }, {folder_.string(), "a directory"});
  expect_error([&] { file_bytes(folder_); }, {folder_.string()});

  const auto fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  expect_error([&] { read_file(fifo); }, {fifo.string(), "no regular file"});

  if (geteuid() != 0) {  // root may read everything
    const auto locked = make("locked", "x");
    ASSERT_EQ(chmod(locked.c_str(), 0), 0);
    expect_error([&] { read_file(locked); }, {locked.string(), "Permission denied"});
  }
}

TEST_F(FilesTest, WritesAFileAndLeavesNoOther) {
  const auto path = folder_ / "out";
  const std::string first = "one ", second = "two";
  const std::span<const std::byte> parts[] = {
      std::as_bytes(std::span(first)), {}, std::as_bytes(std::span(second))};
  write_file(path, parts);
  EXPECT_EQ(read_file(path), "one two");
  write_file(path, std::span(parts).first(1));
  EXPECT_EQ(read_file(path), "one ");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FilesTest, AWriteThatFailsNamesThePathAndLeavesTheOldFile) {
  const std::string content = "new";
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(content))};
  const auto below_nothing = folder_ / "absent" / "out";
  expect_error<DeviceError>([&] { write_file(below_nothing, parts); },
                            {below_nothing.string(), "No such file or directory"});
  const auto occupied = folder_ / "directory";
  std::filesystem::create_directories(occupied / "inside");
  expect_error<DeviceError>([&] { write_file(occupied, parts); }, {occupied.string()});
  EXPECT_FALSE(std::filesystem::exists(occupied.string() + ".part"));
}

}  // namespace
}  // namespace ssmgen::base
