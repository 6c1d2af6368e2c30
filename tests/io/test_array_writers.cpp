#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

#include "io/npy_writer.hpp"
#include "io/tsv_writer.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.5f);
  return values;
}

TEST(NpyWriter, PutsRowsInTheirPlaces) {
  const ssmgen::test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.npy";
  const std::vector<float> values = numbers(2 * 5 * 3);
  {
    NpyWriter writer(path.string(), "", {2, 5, 3, true});
    writer.write(1, 3, 2, values.data() + 15 + 9);
    writer.write(0, 0, 5, values.data());
    writer.write(1, 0, 3, values.data() + 15);
    EXPECT_FALSE(std::filesystem::exists(path));
    writer.finish(5);
    EXPECT_FALSE(std::filesystem::exists(path));
    writer.commit();
  }
  const std::string bytes = test::content_of(path);
  ASSERT_EQ(bytes.size(), 128u + 30 * sizeof(float));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(bytes.find("'shape': (2, 5, 3), }"), std::string::npos);
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_EQ(std::memcmp(bytes.data() + 128, values.data(), 30 * sizeof(float)), 0);
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".part"));
}

TEST(NpyWriter, LearnsTheNumberOfRowsAtTheEnd) {
  const ssmgen::test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.npy";
  const std::vector<float> values = numbers(6);
  NpyWriter writer(path.string(), "", {1, -1, 3, false});
  writer.write(0, 0, 2, values.data());
  writer.finish(2);
  writer.commit();
  EXPECT_NE(test::content_of(path).find("'shape': (2, 3), }"), std::string::npos);
  expect_error<InvalidArgument>(
      [&] {
        NpyWriter(path.string(), "", {2, -1, 3, true});
      },
      {"--layer all", "stream"});
  expect_error<InvalidArgument>(
      [&] {
        NpyWriter("/dev/null", "", {1, 2, 3, false});
      },
      {"must be a file"});
}

TEST(TsvWriter, PutsRowsAndLayersInOrder) {
  const ssmgen::test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "a.tsv";
  const std::vector<float> values{1, 2.5f, 0.1f, -3, 1e-30f, 7, 8, 9};
  TsvWriter writer(path.string(), "", {2, 2, 2, true}, "id", {"0", "4"});
  writer.describe("a");
  writer.describe("b");
  writer.write(1, 1, 1, values.data() + 6);
  writer.write(0, 1, 1, values.data() + 4);
  writer.write(0, 0, 1, values.data());
  writer.write(1, 0, 1, values.data() + 2);
  writer.finish(2);
  writer.commit();
  EXPECT_EQ(test::content_of(path),
            "id\tlayer\tc0\tc1\na\t0\t1\t2.5\na\t4\t0.1\t-3\nb\t0\t1e-30\t7\nb\t4\t8\t9\n");
}

}  // namespace
}  // namespace ssmgen::io
