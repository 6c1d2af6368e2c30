#include "models/tensor_dtype.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::models {

static_assert(std::endian::native == std::endian::little,
              "stored tensors are little-endian and are read without swapping bytes");

namespace {

struct DtypeRow {
  TensorDtype dtype;
  std::string_view name;
  int bits;
};

// In the order of the enumeration, which indexes it.
constexpr std::array<DtypeRow, 20> dtype_rows = {{
    {TensorDtype::boolean, "BOOL", 8},    {TensorDtype::u8, "U8", 8},
    {TensorDtype::i8, "I8", 8},           {TensorDtype::u16, "U16", 16},
    {TensorDtype::i16, "I16", 16},        {TensorDtype::u32, "U32", 32},
    {TensorDtype::i32, "I32", 32},        {TensorDtype::u64, "U64", 64},
    {TensorDtype::i64, "I64", 64},        {TensorDtype::f4, "F4", 4},
    {TensorDtype::f6_e2m3, "F6_E2M3", 6}, {TensorDtype::f6_e3m2, "F6_E3M2", 6},
    {TensorDtype::f8_e4m3, "F8_E4M3", 8}, {TensorDtype::f8_e5m2, "F8_E5M2", 8},
    {TensorDtype::f8_e8m0, "F8_E8M0", 8}, {TensorDtype::f16, "F16", 16},
    {TensorDtype::bf16, "BF16", 16},      {TensorDtype::f32, "F32", 32},
    {TensorDtype::f64, "F64", 64},        {TensorDtype::c64, "C64", 64},
}};

constexpr bool rows_follow_the_enumeration() {
  for (std::size_t i = 0; i < dtype_rows.size(); ++i) {
    if (static_cast<std::size_t>(dtype_rows[i].dtype) != i) return false;
  }
  return true;
}
static_assert(rows_follow_the_enumeration());

const DtypeRow& row_of(TensorDtype dtype) noexcept {
  return dtype_rows[static_cast<std::size_t>(dtype)];
}

// Elements stand at any alignment, so each is copied out.
template <class Stored, class Result, class Convert>
std::vector<Result> convert_each(std::span<const std::byte> bytes, Convert convert) {
  std::vector<Result> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = convert(stored);
  }
  return values;
}

template <class Stored>
std::vector<std::int64_t> widen_each(std::span<const std::byte> bytes) {
  return convert_each<Stored, std::int64_t>(
      bytes, [](Stored value) { return static_cast<std::int64_t>(value); });
}

}  // namespace

std::string_view dtype_name(TensorDtype dtype) noexcept {
  return row_of(dtype).name;
}

std::int64_t dtype_bits(TensorDtype dtype) noexcept {
  return row_of(dtype).bits;
}

std::optional<TensorDtype> find_dtype(std::string_view name) noexcept {
  for (const DtypeRow& row : dtype_rows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

bool is_floating(TensorDtype dtype) noexcept {
  return dtype == TensorDtype::f16 || dtype == TensorDtype::bf16 || dtype == TensorDtype::f32 ||
         dtype == TensorDtype::f64;
}

bool is_integral(TensorDtype dtype) noexcept {
  return dtype <= TensorDtype::i64;
}

float f32_from_f16(std::uint16_t bits) noexcept {
  const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1fu;
  const std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24, exact in f32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide_exponent = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide_exponent << 23 | mantissa << 13);
}

float f32_from_bf16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

std::vector<float> to_f32(TensorDtype dtype, std::span<const std::byte> bytes) {
  switch (dtype) {
    case TensorDtype::f32: {
      std::vector<float> values(bytes.size() / sizeof(float));
      // An empty span has no address that memcpy may be given.
      if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
      return values;
    }
    case TensorDtype::f16:
      return convert_each<std::uint16_t, float>(bytes, f32_from_f16);
    case TensorDtype::bf16:
      return convert_each<std::uint16_t, float>(bytes, f32_from_bf16);
    case TensorDtype::f64:
      return convert_each<double, float>(bytes,
                                         [](double value) { return static_cast<float>(value); });
    default:
      throw InvalidArgument(fmt::format(
          "expected F16, BF16, F32 or F64 to convert to f32, found {}", dtype_name(dtype)));
  }
}

std::vector<std::int64_t> to_i64(TensorDtype dtype, std::span<const std::byte> bytes) {
  switch (dtype) {
    case TensorDtype::boolean:
    case TensorDtype::u8:
      return widen_each<std::uint8_t>(bytes);
    case TensorDtype::i8:
      return widen_each<std::int8_t>(bytes);
    case TensorDtype::u16:
      return widen_each<std::uint16_t>(bytes);
    case TensorDtype::i16:
      return widen_each<std::int16_t>(bytes);
    case TensorDtype::u32:
      return widen_each<std::uint32_t>(bytes);
    case TensorDtype::i32:
      return widen_each<std::int32_t>(bytes);
    case TensorDtype::u64:
      return widen_each<std::uint64_t>(bytes);
    case TensorDtype::i64:
      return widen_each<std::int64_t>(bytes);
    default:
      throw InvalidArgument(
          fmt::format("expected BOOL or an integer type to convert to int64, "
                      "found {}",
                      dtype_name(dtype)));
  }
}

}  // namespace ssmgen::models
