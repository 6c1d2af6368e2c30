#include <bigWig.h>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "io/bigwig_writer.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;

constexpr float none = std::numeric_limits<float>::quiet_NaN();

std::vector<float> read_back(const std::filesystem::path& path, const char* contig,
                             std::uint32_t length) {
  bigWigFile_t* file = bwOpen(path.c_str(), nullptr, "r");
  if (file == nullptr) throw std::runtime_error("cannot read " + path.string());
  bwOverlappingIntervals_t* intervals = bwGetValues(file, contig, 0, length, 1);
  std::vector<float> values(intervals->value, intervals->value + intervals->l);
  bwDestroyOverlappingIntervals(intervals);
  bwClose(file);
  return values;
}

TEST(BigWigWriter, GivesBackEveryValueAndLeavesGaps) {
  const ssmgen::test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.bw";
  std::vector<float> values(50'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = i % 9'000 == 17 ? none : -static_cast<float>(i) / 7;
  }
  const std::span<const float> all = values;
  BigWigWriter writer(path.string(), "", {{"a", 60'000}, {"b", 100}});
  writer.add(0, 0, all.first(10'001));
  writer.add(0, 10'001, all.subspan(10'001));
  writer.add(1, 40, all.first(3));
  EXPECT_EQ(writer.count(), 50'000 - 6 + 3);
  writer.finish();
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.commit();
  const std::vector<float> got = read_back(path, "a", 60'000);
  ASSERT_EQ(got.size(), 60'000u);
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (i >= values.size() || std::isnan(values[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
    } else {
      EXPECT_EQ(got[i], values[i]) << i;
    }
  }
  EXPECT_EQ(read_back(path, "b", 100)[42], values[2]);
}

TEST(BigWigWriter, LeavesNothingFinishedWhenItIsDropped) {
  const ssmgen::test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.bw";
  {
    BigWigWriter writer(path.string(), "", {{"a", 10}});
    writer.add(0, 2, std::vector<float>{1, 2});
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(BigWigWriter, RefusesWhatTheFormatCannotHold) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "a.bw").string();
  expect_error<InvalidArgument>(
      [&] {
        BigWigWriter(path, "", {{"a", std::int64_t{1} << 33}});
      },
      {"4294967295", "a has 8589934592"});
  expect_error<InvalidArgument>(
      [] {
        BigWigWriter("/dev/null", "", {{"a", 10}});
      },
      {"must be a file"});
  BigWigWriter empty(path, "", {{"a", 10}});
  empty.add(0, 0, std::vector<float>{none, none});
  expect_error([&] { empty.finish(); }, {"no base has a value"});
}

}  // namespace
}  // namespace ssmgen::io
