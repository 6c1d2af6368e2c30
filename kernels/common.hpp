#pragma once
// Words that every kernel contract uses.

#include <bit>
#include <cstdint>

namespace ssmgen::kernels {

/// The length every chunk edge is a multiple of. Kernels that carry a state carry it tile by tile,
/// in order, so a sequence cut at multiples of it gives the bits of the uncut one.
inline constexpr std::int64_t tile_length = 1024;

/// The way a sweep goes over the positions; nothing is ever flipped in memory.
enum class Direction : std::uint8_t { left_to_right, right_to_left };

constexpr Direction opposite(Direction direction) noexcept {
  return direction == Direction::left_to_right ? Direction::right_to_left
                                               : Direction::left_to_right;
}

/// Brain float: the upper 16 bits of an IEEE f32, rounded to nearest even, NaN kept.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;
  explicit bfloat16(float value) noexcept {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const bool is_nan = (word & 0x7fffffffu) > 0x7f800000u;
    const std::uint32_t rounded = word + 0x7fffu + ((word >> 16) & 1u);
    bits = static_cast<std::uint16_t>(is_nan ? (word >> 16) | 0x40u : rounded >> 16);
  }
  explicit operator float() const noexcept {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
};
static_assert(sizeof(bfloat16) == 2);

}  // namespace ssmgen::kernels
