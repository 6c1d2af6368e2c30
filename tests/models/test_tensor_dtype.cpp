#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <ssmgen/errors.hpp>
#include <string>
#include <vector>

#include "models/tensor_dtype.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::models {
namespace {

using test::expect_error;

// The value of a small float by its definition, in f64 where it is exact.
double value_of(std::uint16_t bits, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
  const int mantissa = bits & ((1 << mantissa_bits) - 1);
  const double sign = bits >> 15 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) {
    return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

void expect_same(float converted, double expected, std::uint32_t bits) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(converted)) << bits;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(converted),
              std::bit_cast<std::uint32_t>(static_cast<float>(expected)))
        << bits;
  }
}

TEST(TensorDtype, ConvertsEveryHalfExactly) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    expect_same(f32_from_f16(half), value_of(half, 5, 10), bits);
  }
}

TEST(TensorDtype, ConvertsEveryBfloatExactly) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto bfloat = static_cast<std::uint16_t>(bits);
    expect_same(f32_from_bf16(bfloat), value_of(bfloat, 8, 7), bits);
  }
}

TEST(TensorDtype, NamesAndSizes) {
  struct Row {
    std::string_view name;
    int bits;
    bool floating;
    bool integral;
  };
  for (const Row& row : {Row{"BOOL", 8, false, true},     Row{"U8", 8, false, true},
                         Row{"I8", 8, false, true},       Row{"U16", 16, false, true},
                         Row{"I16", 16, false, true},     Row{"U32", 32, false, true},
                         Row{"I32", 32, false, true},     Row{"U64", 64, false, true},
                         Row{"I64", 64, false, true},     Row{"F4", 4, false, false},
                         Row{"F6_E2M3", 6, false, false}, Row{"F6_E3M2", 6, false, false},
                         Row{"F8_E4M3", 8, false, false}, Row{"F8_E5M2", 8, false, false},
                         Row{"F8_E8M0", 8, false, false}, Row{"F16", 16, true, false},
                         Row{"BF16", 16, true, false},    Row{"F32", 32, true, false},
                         Row{"F64", 64, true, false},     Row{"C64", 64, false, false}}) {
    const auto dtype = find_dtype(row.name);
    ASSERT_TRUE(dtype.has_value()) << row.name;
    EXPECT_EQ(dtype_name(*dtype), row.name);
    EXPECT_EQ(dtype_bits(*dtype), row.bits) << row.name;
    EXPECT_EQ(is_floating(*dtype), row.floating) << row.name;
    EXPECT_EQ(is_integral(*dtype), row.integral) << row.name;
  }
  EXPECT_FALSE(find_dtype("f32").has_value());
  EXPECT_FALSE(find_dtype("").has_value());
}

// Every type at every alignment, as the data of a file may begin anywhere.
template <class Stored>
std::vector<std::byte> shifted(const std::vector<Stored>& values, std::size_t offset) {
  std::vector<std::byte> bytes(offset + values.size() * sizeof(Stored));
  std::memcpy(bytes.data() + offset, values.data(), values.size() * sizeof(Stored));
  return bytes;
}

TEST(TensorDtype, ConvertsFloatsAtAnyAlignment) {
  for (std::size_t offset = 0; offset < 8; ++offset) {
    const auto tail = [&](const std::vector<std::byte>& bytes) {
      return std::span(bytes).subspan(offset);
    };
    const std::vector<float> expected = {1.5f, -2.0f, 0x1p-14f};
    EXPECT_EQ(to_f32(TensorDtype::f32, tail(shifted(expected, offset))), expected);
    EXPECT_EQ(
        to_f32(TensorDtype::f64, tail(shifted(std::vector<double>{1.5, -2.0, 0x1p-14}, offset))),
        expected);
    EXPECT_EQ(to_f32(TensorDtype::f16,
                     tail(shifted(std::vector<std::uint16_t>{0x3e00, 0xc000, 0x0400}, offset))),
              expected);
    EXPECT_EQ(to_f32(TensorDtype::bf16,
                     tail(shifted(std::vector<std::uint16_t>{0x3fc0, 0xc000, 0x3880}, offset))),
              expected);
  }
}

TEST(TensorDtype, RoundsDoublesToNearestEven) {
  const std::vector<double> values = {1.0 + 0x1p-24, 1.0 + 3 * 0x1p-24, 0.1, 1e300};
  const auto converted = to_f32(TensorDtype::f64, std::as_bytes(std::span(values)));
  EXPECT_EQ(converted[0], 1.0f);
  EXPECT_EQ(converted[1], 1.0f + 0x1p-22f);
  EXPECT_EQ(converted[2], 0.1f);
  EXPECT_TRUE(std::isinf(converted[3]));
}

TEST(TensorDtype, ConvertsIntegersAtAnyAlignment) {
  for (std::size_t offset = 0; offset < 8; ++offset) {
    const auto convert = [&](TensorDtype dtype, const std::vector<std::byte>& bytes) {
      return to_i64(dtype, std::span(bytes).subspan(offset));
    };
    using Wide = std::vector<std::int64_t>;
    EXPECT_EQ(convert(TensorDtype::boolean, shifted(std::vector<std::uint8_t>{0, 1}, offset)),
              (Wide{0, 1}));
    EXPECT_EQ(convert(TensorDtype::u8, shifted(std::vector<std::uint8_t>{200}, offset)), Wide{200});
    EXPECT_EQ(convert(TensorDtype::i8, shifted(std::vector<std::int8_t>{-3}, offset)), Wide{-3});
    EXPECT_EQ(convert(TensorDtype::u16, shifted(std::vector<std::uint16_t>{65535}, offset)),
              Wide{65535});
    EXPECT_EQ(convert(TensorDtype::i16, shifted(std::vector<std::int16_t>{-300}, offset)),
              Wide{-300});
    EXPECT_EQ(convert(TensorDtype::u32, shifted(std::vector<std::uint32_t>{4000000000u}, offset)),
              Wide{4000000000});
    EXPECT_EQ(convert(TensorDtype::i32, shifted(std::vector<std::int32_t>{-70000}, offset)),
              Wide{-70000});
    EXPECT_EQ(convert(TensorDtype::u64, shifted(std::vector<std::uint64_t>{7}, offset)), Wide{7});
    EXPECT_EQ(convert(TensorDtype::i64,
                      shifted(Wide{std::numeric_limits<std::int64_t>::min(), 12}, offset)),
              (Wide{std::numeric_limits<std::int64_t>::min(), 12}));
  }
}

TEST(TensorDtype, RefusesWhatItCannotConvert) {
  const std::vector<std::byte> bytes(8);
  expect_error<InvalidArgument>([&] { to_f32(TensorDtype::i64, bytes); }, {"I64"});
  expect_error<InvalidArgument>([&] { to_f32(TensorDtype::f8_e4m3, bytes); }, {"F8_E4M3"});
  expect_error<InvalidArgument>([&] { to_i64(TensorDtype::f32, bytes); }, {"F32"});
  expect_error<InvalidArgument>([&] { to_i64(TensorDtype::c64, bytes); }, {"C64"});
}

}  // namespace
}  // namespace ssmgen::models
