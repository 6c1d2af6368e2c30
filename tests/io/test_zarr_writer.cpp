#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <zstd.h>

#include "io/zarr_writer.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;
namespace fs = std::filesystem;

std::vector<float> numbers(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

std::vector<float> unpacked(const fs::path& path, std::size_t values) {
  const std::string packed = test::content_of(path);
  std::vector<float> result(values);
  EXPECT_EQ(ZSTD_decompress(result.data(), values * 4, packed.data(), packed.size()), values * 4);
  return result;
}

ZarrOptions chunks_of(std::int64_t rows, bool resume = false) {
  ZarrOptions options;
  options.chunk_rows = rows;
  options.resume = resume;
  options.signature = R"({"a": 1})";
  return options;
}

TEST(ZarrWriter, WritesChunksAsTheyFillAndPadsTheLast) {
  const ssmgen::test::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.zarr";
  const std::vector<float> values = numbers(7 * 2);
  ZarrWriter writer(path.string(), {1, 7, 2, false}, chunks_of(3));
  writer.write(0, 4, 3, values.data() + 8);  // the last row fills the last chunk
  EXPECT_TRUE(fs::exists(folder.path() / "a.zarr.part/c/2/0"));
  EXPECT_FALSE(fs::exists(folder.path() / "a.zarr.part/c/1/0"));
  writer.write(0, 0, 4, values.data());
  writer.finish(7);
  EXPECT_FALSE(fs::exists(path));
  writer.commit();
  EXPECT_EQ(unpacked(path / "c/0/0", 6), std::vector<float>(values.begin(), values.begin() + 6));
  EXPECT_EQ(unpacked(path / "c/2/0", 6), (std::vector<float>{13, 14, 0, 0, 0, 0}));
  const std::string text = test::content_of(path / "zarr.json");
  EXPECT_NE(text.find("\"shape\": [7, 2]"), std::string::npos);
  EXPECT_NE(text.find("\"chunk_shape\": [3, 2]"), std::string::npos);
  EXPECT_FALSE(fs::exists(path / "ssmgen-run.json"));
}

TEST(ZarrWriter, GoesOnFromTheChunksThatAreThere) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "a.zarr").string();
  const std::vector<float> values = numbers(2 * 4 * 1);
  {
    ZarrWriter writer(path, {2, 4, 1, true}, chunks_of(2));
    EXPECT_FALSE(writer.has(0, 1));
    writer.write(0, 0, 4, values.data());
    writer.write(1, 0, 2, values.data() + 4);
  }
  folder.write("a.zarr.part/c/1/1/0.part", "half a chunk");
  ZarrWriter writer(path, {2, 4, 1, true}, chunks_of(2, true));
  EXPECT_TRUE(writer.has(0, 2));
  EXPECT_FALSE(writer.has(1, 2));  // of the second chunk one layer is missing
  EXPECT_FALSE(fs::exists(folder.path() / "a.zarr.part/c/1/1/0.part"));
  writer.write(0, 2, 2, values.data());  // is there, so it stays as it was
  writer.write(1, 2, 2, values.data() + 6);
  writer.finish(4);
  writer.commit();
  EXPECT_EQ(unpacked(folder.path() / "a.zarr/c/0/1/0", 2), (std::vector<float>{3, 4}));
  EXPECT_EQ(unpacked(folder.path() / "a.zarr/c/1/1/0", 2), (std::vector<float>{7, 8}));
}

TEST(ZarrWriter, RefusesToGoOnWithAnotherRun) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "a.zarr").string();
  { const ZarrWriter writer(path, {1, 4, 1, false}, chunks_of(2)); }
  ZarrOptions other = chunks_of(2, true);
  other.signature = R"({"a": 2})";
  expect_error<InvalidArgument>(
      [&] {
        ZarrWriter(path, {1, 4, 1, false}, other);
      },
      {"a.zarr.part", "another input, model or options"});
  expect_error<InvalidArgument>(
      [&] {
        ZarrWriter(path, {1, 4, 1, false}, chunks_of(3, true));
      },
      {"another input, model or options"});
  { const ZarrWriter writer(path, {1, 4, 1, false}, chunks_of(3)); }
}

TEST(ZarrWriter, RefusesWhatIsInTheWay) {
  const ssmgen::test::TemporaryFolder folder;
  folder.write("a.zarr/thesis.txt", "mine");
  const auto make = [&](const std::string& name) {
    ZarrWriter((folder.path() / name).string(), {1, 4, 1, false}, chunks_of(2));
  };
  expect_error<InvalidArgument>([&] { make("a.zarr"); }, {"a.zarr", "is no Zarr array"});
  folder.write("b.zarr.part/thesis.txt", "mine");
  expect_error<InvalidArgument>([&] { make("b.zarr"); }, {"b.zarr.part", "remove it"});
  expect_error<InvalidArgument>([&] { make("none/c.zarr"); }, {"none does not exist"});
}

TEST(ZarrWriter, ChoosesChunksOfAboutAMebibyte) {
  const ssmgen::test::TemporaryFolder folder;
  const auto rows = [&](std::int64_t channels) {
    return ZarrWriter((folder.path() / "a.zarr").string(), {1, 4, channels, false}, chunks_of(0))
        .chunk_rows();
  };
  EXPECT_EQ(rows(128), 2048);
  EXPECT_EQ(rows(1), 262144);
  EXPECT_EQ(rows(1'000'000), 1);
}

}  // namespace
}  // namespace ssmgen::io
