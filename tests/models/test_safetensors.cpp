#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <ssmgen/errors.hpp>
#include <string>
#include <vector>

#include "models/safetensors.hpp"
#include "tests/models/safetensors_bytes.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::models {
namespace {

using test::expect_error;

using Shape = std::vector<std::int64_t>;

void read(std::string_view file) {
  SafetensorsFile::from_bytes(bytes_of(file), "dir/w.safetensors");
}

void expect_malformed(const std::string& file, std::initializer_list<std::string_view> parts) {
  expect_error([&] { read(file); }, {"dir/w.safetensors"});
  expect_error([&] { read(file); }, parts);
}

// A header of one tensor 't' followed by 8 bytes of data.
void expect_malformed_tensor(const std::string& tensor,
                             std::initializer_list<std::string_view> parts) {
  const std::string file = safetensors_bytes("{\"t\":" + tensor + "}", "12345678");
  expect_malformed(file, {"'t"});
  expect_malformed(file, parts);
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirBytes) {
  const std::string file = safetensors_bytes(
      R"({"b":{"dtype":"I32","shape":[],"data_offsets":[8,12]},"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("empty":{"dtype":"F32","shape":[0,3],"data_offsets":[12,12]}})",
      std::string("\0\0\x80\x3f\0\0\0\xc0\x2a\0\0\0", 12));
  const auto tensors = SafetensorsFile::from_bytes(bytes_of(file), "w");
  ASSERT_EQ(tensors.tensors().size(), 3u);
  EXPECT_EQ(tensors.tensors()[0].name, "a");
  EXPECT_EQ(tensors.tensors()[1].name, "b");
  EXPECT_EQ(tensors.at("a").shape, (Shape{2, 1}));
  EXPECT_EQ(tensors.read_f32(tensors.at("a")), (std::vector<float>{1.0f, -2.0f}));
  EXPECT_EQ(tensors.at("b").shape, Shape{});
  EXPECT_EQ(tensors.at("b").elements(), 1);
  EXPECT_EQ(tensors.read_i64(tensors.at("b")), std::vector<std::int64_t>{42});
  EXPECT_EQ(tensors.at("empty").elements(), 0);
  EXPECT_TRUE(tensors.read_f32(tensors.at("empty")).empty());
  EXPECT_EQ(tensors.metadata().at("format"), "pt");
  EXPECT_EQ(tensors.find("absent"), nullptr);
  expect_error([&] { tensors.at("absent"); }, {"'absent'", "missing"});
}

TEST(Safetensors, ReadsAFileWithoutTensors) {
  EXPECT_NO_THROW(read(safetensors_bytes("{}")));
  EXPECT_NO_THROW(read(safetensors_bytes("{}      ")));
}

TEST(Safetensors, RefusesAFileCutInItsLengthOrHeader) {
  expect_malformed("", {"0 bytes"});
  expect_malformed("1234567", {"7 bytes"});
  expect_malformed(std::string("\x03\0\0\0\0\0\0\0{}", 10), {"length of 3 bytes", "only 10"});
  expect_malformed(std::string(8, '\xff'), {"18446744073709551615", "no safetensors file"});
  const std::string above_bound = std::string("\x01\xe1\xf5\x05\0\0\0\0", 8);
  expect_malformed(above_bound + "{}", {"100000001"});
  expect_malformed(std::string("\0\xe1\xf5\x05\0\0\0\0", 8) + "{}", {"100000000", "cut short"});
}

TEST(Safetensors, RefusesAHeaderThatIsNoJsonObject) {
  expect_malformed(safetensors_bytes(""), {"no JSON object"});
  expect_malformed(safetensors_bytes("[]"), {"no JSON object"});
  expect_malformed(safetensors_bytes(" {}"), {"no JSON object"});
  expect_malformed(safetensors_bytes("PK\x03\x04"), {"no JSON object"});
  expect_malformed(safetensors_bytes("{"), {"expected JSON"});
  expect_malformed(safetensors_bytes("{}{}"), {"expected JSON"});
  expect_malformed(safetensors_bytes("{\"\xff\":1}"), {"expected JSON"});
  expect_malformed(safetensors_bytes(std::string("{}\0", 3)), {"expected JSON"});
  expect_malformed(safetensors_bytes("{\"t\":" + std::string(100'000, '[')), {"nested deeper"});
}

TEST(Safetensors, RefusesTwoTensorsOfOneName) {
  expect_malformed(safetensors_bytes(R"({"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                     R"("t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                     "12"),
                   {"'t'", "twice"});
}

TEST(Safetensors, RefusesBadMetadata) {
  expect_malformed(safetensors_bytes(R"({"__metadata__":[]})"), {"__metadata__", "an object"});
  expect_malformed(safetensors_bytes(R"({"__metadata__":{"a":1}})"),
                   {"__metadata__.a", "a string"});
}

TEST(Safetensors, RefusesMissingKeysAndWrongTypes) {
  expect_malformed_tensor("1", {"an object"});
  expect_malformed_tensor("null", {"an object"});
  expect_malformed_tensor(R"({"shape":[8],"data_offsets":[0,8]})", {"'dtype' is missing"});
  expect_malformed_tensor(R"({"dtype":"U8","data_offsets":[0,8]})", {"'shape' is missing"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8]})", {"'data_offsets' is missing"});
  expect_malformed_tensor(R"({"dtype":8,"shape":[8],"data_offsets":[0,8]})", {"a string"});
  expect_malformed_tensor(R"({"dtype":"F31","shape":[8],"data_offsets":[0,8]})",
                          {"unknown dtype", "F31"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":8,"data_offsets":[0,8]})", {"an array"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":["8"],"data_offsets":[0,8]})",
                          {"t.shape[0]", "an integer"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8.0],"data_offsets":[0,8]})", {"an integer"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":"0"})", {"an array"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":[0]})", {"[begin, end]"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":[0,4,8]})", {"[begin, end]"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":[0,null]})", {"an integer"});
}

TEST(Safetensors, RefusesShapesThatAreNegativeOrOverflow) {
  expect_malformed_tensor(R"({"dtype":"U8","shape":[-8],"data_offsets":[0,8]})", {"-8"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[-2,-4],"data_offsets":[0,8]})", {"-2"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,8]})",
                          {"9223372036854775808"});
  // 2^32 * 2^32 * 2 would wrap to 0 elements and look empty.
  expect_malformed_tensor(
      R"({"dtype":"U8","shape":[4294967296,4294967296,2],"data_offsets":[0,8]})", {"overflows"});
  expect_malformed_tensor(
      R"({"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]})", {"overflows"});
  // The elements fit into 64 bits, their bytes do not.
  expect_malformed_tensor(R"({"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]})",
                          {"overflows"});
}

TEST(Safetensors, RefusesOffsetsThatDoNotFit) {
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":[-1,7]})", {"-1"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":[8,0]})",
                          {"before the begin"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})",
                          {"9", "beyond the 8 bytes"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[8],"data_offsets":[0,18446744073709551615]})",
                          {"18446744073709551615"});
  expect_malformed_tensor(R"({"dtype":"F32","shape":[8],"data_offsets":[0,8]})",
                          {"expected 32 bytes for [8] F32, found 8"});
  expect_malformed_tensor(R"({"dtype":"F32","shape":[],"data_offsets":[0,8]})",
                          {"expected 4 bytes for [] F32"});
  expect_malformed_tensor(R"({"dtype":"F4","shape":[15],"data_offsets":[0,8]})", {"60 bits"});
  EXPECT_NO_THROW(read(
      safetensors_bytes(R"({"t":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}})", "12345678")));
}

TEST(Safetensors, RefusesHolesOverlapsAndTrailingBytes) {
  const auto two = [](std::string_view first, std::string_view second) {
    return safetensors_bytes(
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + std::string(first) +
            R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + std::string(second) + "}}",
        "12345678");
  };
  EXPECT_NO_THROW(read(two("[0,4]", "[4,8]")));
  EXPECT_NO_THROW(read(two("[4,8]", "[0,4]")));
  expect_malformed(two("[0,4]", "[3,7]"), {"'b'", "overlaps"});
  expect_malformed(two("[4,8]", "[4,8]"), {"hole"});
  expect_malformed(two("[0,4]", "[0,4]"), {"overlaps"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[4],"data_offsets":[4,8]})", {"hole"});
  expect_malformed_tensor(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})",
                          {"4 bytes follow the last tensor"});
  expect_malformed(safetensors_bytes("{}", "x"), {"1 bytes follow"});
}

TEST(Safetensors, RefusesDirectoriesAndMissingFiles) {
  const test::TemporaryFolder folder;
  expect_error([&] { SafetensorsFile::open(folder.path()); },
               {folder.path().string(), "a directory"});
  expect_error([&] { SafetensorsFile::open(folder.path() / "absent"); },
               {"absent", "No such file"});
  expect_error([&] { SafetensorsFile::open(folder.write("empty", "")); }, {"empty", "0 bytes"});
}

TEST(Safetensors, RefusesWeightsThatAreNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), infinity, -infinity}) {
    const std::vector<float> values = {0, 1, 2, 3, 4, bad};
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "w.safetensors";
    write_safetensors(path, std::vector{f32_tensor("layer.weight", {2, 3}, values)});
    const auto file = SafetensorsFile::open(path);
    const auto& entry = file.at("layer.weight");
    expect_error([&] { file.read_f32(entry); }, {path.string(), "'layer.weight'", "[1, 2]"});
    expect_error([&] { file.read_f32(entry); }, {std::isnan(bad) ? "nan" : "inf"});
    EXPECT_EQ(file.read_f32(entry, NonFinite::keep).size(), 6u);
  }
  const double huge = 1e300;  // finite as stored, not as f32
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  write_safetensors(path, std::vector{TensorToWrite{
                              "w", TensorDtype::f64, {}, std::as_bytes(std::span(&huge, 1))}});
  const auto file = SafetensorsFile::open(path);
  expect_error([&] { file.read_f32(file.at("w")); }, {"'w'", "inf", "[]"});
}

TEST(Safetensors, FindsABadWeightAnywhereInALargeTensor) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  for (const std::size_t place : {0u, 4095u, 4096u, 8191u, 9999u}) {
    std::vector<float> values(10'000, std::numeric_limits<float>::max());
    values[place] = -std::numeric_limits<float>::infinity();
    write_safetensors(path, std::vector{f32_tensor("w", {100, 100}, values)});
    const auto file = SafetensorsFile::open(path);
    expect_error([&] { file.read_f32(file.at("w")); },
                 {"-inf at " + shape_text(Shape{static_cast<std::int64_t>(place / 100),
                                                static_cast<std::int64_t>(place % 100)})});
  }
}

// The parser once took 89 s for 50,000 tensors, as it went over all of them at the end of each.
TEST(Safetensors, OpensManyTensorsInLinearTime) {
  constexpr int count = 50'000;
  const float value = 1;
  std::vector<TensorToWrite> tensors;
  for (int i = 0; i < count; ++i) {
    tensors.push_back(f32_tensor("layers." + std::to_string(i), {}, std::span(&value, 1)));
  }
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  write_safetensors(path, tensors);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(SafetensorsFile::open(path).tensors().size(), std::size_t{count});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Safetensors, RefusesToConvertOtherTypes) {
  const std::string bytes =
      safetensors_bytes(R"({"f":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},)"
                        R"("i":{"dtype":"I32","shape":[1],"data_offsets":[4,8]}})",
                        "12345678");
  const auto file = SafetensorsFile::from_bytes(bytes_of(bytes), "dir/w.safetensors");
  expect_error([&] { file.read_f32(file.at("i")); }, {"dir/w.safetensors", "'i'", "I32"});
  expect_error([&] { file.read_f32(file.at("f")); }, {"'f'", "F8_E4M3"});
  expect_error([&] { file.read_i64(file.at("f")); }, {"'f'", "F8_E4M3"});
}

TEST(SafetensorsWriter, WritesWhatTheReaderReads) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> ids = {-1, 1};
  const std::vector<std::uint16_t> halves = {0x3c00, 0xbc00, 0x0001};
  const std::vector<TensorToWrite> tensors = {
      {"half \"quoted\"", TensorDtype::f16, {3}, std::as_bytes(std::span(halves))},
      f32_tensor("weights", {2, 3}, weights),
      i64_tensor("ids", {2}, ids),
      f32_tensor("none", {0}, {}),
  };
  write_safetensors(path, tensors, {{"format", "pt"}, {"note", "\u00e9"}});
  const auto file = SafetensorsFile::open(path);
  EXPECT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.tensors()[0].name, "half \"quoted\"");
  EXPECT_EQ(file.read_f32(file.tensors()[0]), (std::vector<float>{1, -1, 0x1p-24f}));
  EXPECT_EQ(file.read_f32(file.at("weights")), weights);
  EXPECT_EQ(file.read_i64(file.at("ids")), ids);
  EXPECT_EQ(file.at("weights").shape, (Shape{2, 3}));
  EXPECT_EQ(file.metadata().at("note"), "\u00e9");
  // Other readers want the data aligned.
  EXPECT_EQ((file.tensors()[0].bytes.data() - file.file_bytes().data()) % 8, 0);
}

TEST(SafetensorsWriter, RefusesWhatCouldNotBeReadBack) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "w.safetensors";
  const std::vector<float> values = {1, 2};
  const auto write = [&](std::vector<TensorToWrite> tensors) { write_safetensors(path, tensors); };
  expect_error<InvalidArgument>(
      [&] {
        write({f32_tensor("t", {2}, values), f32_tensor("t", {2}, values)});
      },
      {path.string(), "'t'", "taken"});
  expect_error<InvalidArgument>([&] { write({f32_tensor("__metadata__", {2}, values)}); },
                                {"__metadata__"});
  expect_error<InvalidArgument>([&] { write({f32_tensor("t", {3}, values)}); },
                                {"'t'", "[3]", "8 bytes"});
  expect_error<InvalidArgument>([&] { write({f32_tensor("t", {-2}, values)}); }, {"[-2]"});
  expect_error<InvalidArgument>(
      [&] {
        write({f32_tensor("t", {std::int64_t{1} << 62, 4}, values)});
      },
      {"'t'"});
  expect_error<InvalidArgument>([&] { write({f32_tensor("\xff", {2}, values)}); }, {"UTF-8"});
  EXPECT_FALSE(std::filesystem::exists(path));
  expect_error<DeviceError>(
      [&] {
        write_safetensors(folder.path() / "absent" / "w",
                          std::vector{f32_tensor("t", {2}, values)});
      },
      {"absent", "No such file"});
}

// Whatever bytes a file holds, it opens or is refused with a FormatError; nothing else happens.
TEST(Safetensors, ADamagedFileIsReadOrRefused) {
  const std::string valid = safetensors_bytes(
      R"({"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":)"
      R"([0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64",)"
      R"("shape":[],"data_offsets":[32,40]}})",
      std::string(40, '\x01'));
  ASSERT_NO_THROW(read(valid));
  const std::string_view inserts[] = {
      "0",  "-", "9",  "[",    "]",    "{",   "}",
      "\"", ",", "e9", "\xff", "null", "F64", "18446744073709551615"};
  std::mt19937 random(20240601);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  int read_count = 0;
  int refused_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string file = valid;
    for (std::size_t change = 0, changes = 1 + below(3); change < changes; ++change) {
      const std::size_t place = below(file.size());
      switch (below(5)) {
        case 0:
          file[place] = static_cast<char>(random());
          break;
        case 1:
          file[place] = static_cast<char>(file[place] ^ (1 << below(8)));
          break;
        case 2:
          file.erase(place, 1 + below(8));
          break;
        case 3:
          file.insert(place, inserts[below(std::size(inserts))]);
          break;
        default:
          file.resize(place);
      }
      if (file.empty()) break;
      // Half of the files get a length that fits, so that the JSON behind it is reached.
      if (file.size() > 48 && below(2) == 0) {
        const std::uint64_t length = file.size() - 48;
        std::memcpy(file.data(), &length, sizeof length);
      }
    }
    try {
      const auto tensors = SafetensorsFile::from_bytes(bytes_of(file), "w");
      for (const auto& entry : tensors.tensors()) {
        if (is_floating(entry.dtype)) tensors.read_f32(entry, NonFinite::keep);
        if (is_integral(entry.dtype)) tensors.read_i64(entry);
      }
      ++read_count;
    } catch (const FormatError&) {
      ++refused_count;
    }
  }
  // The changes must reach both outcomes, or the test shows nothing.
  EXPECT_GT(read_count, 500);
  EXPECT_GT(refused_count, 5000);
}

}  // namespace
}  // namespace ssmgen::models
