#pragma once
// Element types of stored tensors, under the names safetensors gives them, and their conversion to
// what the library computes with.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ssmgen::models {

/// Every type a safetensors file may hold. Those below 16 bits of floating point are known by name
/// and size, so that a file with them opens, but are not converted.
enum class TensorDtype : std::uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f4,
  f6_e2m3,
  f6_e3m2,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f16,
  bf16,
  f32,
  f64,
  c64,
};

/// The name in the file, for example "BF16".
std::string_view dtype_name(TensorDtype dtype) noexcept;

/// The type of that name, none when unknown.
std::optional<TensorDtype> find_dtype(std::string_view name) noexcept;

/// Bits of one element.
std::int64_t dtype_bits(TensorDtype dtype) noexcept;

/// True for F16, BF16, F32 and F64: what to_f32() converts.
bool is_floating(TensorDtype dtype) noexcept;

/// True for BOOL and the integers: what to_i64() converts.
bool is_integral(TensorDtype dtype) noexcept;

/// The f32 of the same value as an IEEE half; exact, NaN stays NaN.
float f32_from_f16(std::uint16_t bits) noexcept;

/// The f32 of the same value as a bfloat16; exact.
float f32_from_bf16(std::uint16_t bits) noexcept;

/// Converts little-endian elements at any alignment; F64 is rounded to nearest even.
/// @throws InvalidArgument unless is_floating(dtype).
std::vector<float> to_f32(TensorDtype dtype, std::span<const std::byte> bytes);

/// Converts little-endian elements at any alignment; U64 beyond 2^63-1 wraps.
/// @throws InvalidArgument unless is_integral(dtype).
std::vector<std::int64_t> to_i64(TensorDtype dtype, std::span<const std::byte> bytes);

}  // namespace ssmgen::models
