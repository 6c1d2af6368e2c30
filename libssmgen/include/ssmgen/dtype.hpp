#pragma once
// Storage types of activations and weights. Every folder of the project may include this header.

#include <cstdint>
#include <string_view>

namespace ssmgen {

/// How activations and matrix weights are stored; sums, states and logits are f32 in either.
enum class Dtype : std::uint8_t { f32, bf16 };

/// Bytes of one element.
constexpr std::int64_t element_bytes(Dtype dtype) noexcept {
  return dtype == Dtype::f32 ? 4 : 2;
}

/// "f32" or "bf16".
constexpr std::string_view dtype_name(Dtype dtype) noexcept {
  return dtype == Dtype::f32 ? "f32" : "bf16";
}

/// The type of that name. @throws InvalidArgument for any other word.
Dtype parse_dtype(std::string_view name);

}  // namespace ssmgen
