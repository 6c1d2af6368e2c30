// Loads and stores of channels as f32 vectors, whatever their storage type, whole or cut off at
// the last channel; compiled once for every instruction set.

#if defined(SSMGEN_KERNELS_CPU_SIMD_MEMORY_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef SSMGEN_KERNELS_CPU_SIMD_MEMORY_HPP
#undef SSMGEN_KERNELS_CPU_SIMD_MEMORY_HPP
#else
#define SSMGEN_KERNELS_CPU_SIMD_MEMORY_HPP
#endif

#include <algorithm>
#include <cstdint>
#include <hwy/highway.h>

#include "kernels/common.hpp"

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;
/// Channels of one vector.
inline constexpr std::int64_t lanes = HWY_LANES(float);

HWY_INLINE FloatVector load_channels(const float* from) {
  return hn::LoadU(FloatTag(), from);
}

HWY_INLINE FloatVector load_channels(const bfloat16* from) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> d32;
  const hn::Rebind<std::uint16_t, FloatTag> d16;
  const auto half = hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(from));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, half)));
}

HWY_INLINE void store_channels(FloatVector value, float* to) {
  hn::StoreU(value, FloatTag(), to);
}

// Rounds as bfloat16's constructor does: to nearest even, NaN kept.
HWY_INLINE void store_channels(FloatVector value, bfloat16* to) {
  const hn::RebindToUnsigned<FloatTag> d32;
  const hn::Rebind<std::uint16_t, FloatTag> d16;
  const auto bits = hn::BitCast(d32, value);
  const auto upper = hn::ShiftRight<16>(bits);
  const auto odd = hn::And(upper, hn::Set(d32, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fffu))));
  const auto is_nan = hn::RebindMask(d32, hn::IsNaN(value));
  const auto half = hn::IfThenElse(is_nan, hn::Or(upper, hn::Set(d32, 0x40u)), rounded);
  hn::StoreU(hn::TruncateTo(d16, half), d16, reinterpret_cast<std::uint16_t*>(to));
}

/// What `value` is once it has been stored.
template <class T>
HWY_INLINE FloatVector rounded_to(FloatVector value) {
  if constexpr (sizeof(T) == sizeof(float)) return value;
  alignas(64) T stored[lanes];
  store_channels(value, stored);
  return load_channels(stored);
}

// A cut vector goes through a buffer of whole length: the arithmetic between is that of a whole
// vector, so a channel's bits do not depend on where the vector was cut, and nothing past the last
// channel is touched (Highway's masked loads may touch it below AVX2).

/// The first `count` channels, zeros after them.
template <class T>
HWY_INLINE FloatVector load_channels(const T* from, std::int64_t count) {
  if (count >= lanes) return load_channels(from);
  T buffer[lanes] = {};
  std::copy_n(from, count, buffer);
  return load_channels(buffer);
}

/// Stores the first `count` channels.
template <class T>
HWY_INLINE void store_channels(FloatVector value, T* to, std::int64_t count) {
  if (count >= lanes) {
    store_channels(value, to);
    return;
  }
  T buffer[lanes];
  store_channels(value, buffer);
  std::copy_n(buffer, count, to);
}

}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
