// What the two pre-norm kernels share: the sum of a row, sums over it in one fixed order, and the
// outputs; compiled once for every instruction set.

#if defined(SSMGEN_KERNELS_CPU_ADD_NORM_ROW_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef SSMGEN_KERNELS_CPU_ADD_NORM_ROW_HPP
#undef SSMGEN_KERNELS_CPU_ADD_NORM_ROW_HPP
#else
#define SSMGEN_KERNELS_CPU_ADD_NORM_ROW_HPP
#endif

#include <algorithm>
#include <cstdint>
#include <hwy/highway.h>

#include "kernels/add_norm.hpp"
#include "kernels/cpu/simd_memory.hpp"

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Channel c of a row is added to partial sum c mod 64, whatever the vector's length, and the 64
/// are added as a tree: the order of a sum, and so its bits, is that of the channels alone. It is
/// also four vectors of AVX-512, as many as hide the latency of its additions.
inline constexpr std::int64_t partial_sums = 64;

inline std::int64_t padded_channels(std::int64_t channels) {
  return (channels + partial_sums - 1) / partial_sums * partial_sums;
}

/// Adds term(vector at c) over a row padded to whole blocks of partial sums.
template <class Term>
HWY_INLINE float sum_in_fixed_order(std::int64_t padded, const Term& term) {
  const FloatTag d;
  constexpr std::int64_t vectors = partial_sums / lanes;
  FloatVector sums[vectors];
  for (std::int64_t v = 0; v < vectors; ++v) sums[v] = hn::Zero(d);
  for (std::int64_t c = 0; c < padded; c += partial_sums) {
    for (std::int64_t v = 0; v < vectors; ++v) sums[v] = term(sums[v], c + v * lanes);
  }
  alignas(64) float partial[partial_sums];
  for (std::int64_t v = 0; v < vectors; ++v) hn::Store(sums[v], d, partial + v * lanes);
  for (std::int64_t half = partial_sums / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) partial[i] += partial[i + half];
  }
  return partial[0];
}

/// The channels c to c + count of a row in sum's order.
template <class T>
HWY_INLINE FloatVector load_ordered(const T* row, std::int64_t channels, std::int64_t c,
                                    std::int64_t count, bool reverse) {
  if (!reverse) return load_channels(row + c, count);
  if (count >= lanes) return hn::Reverse(FloatTag(), load_channels(row + channels - c - lanes));
  T buffer[lanes] = {};
  std::reverse_copy(row, row + count, buffer);
  return load_channels(buffer);
}

/// hidden + residual_in of a row, as R holds it, into `sum`, zeros up to padded_channels, and then
/// residual_out: the row is read whole before any of it is written.
template <class T, class R>
HWY_INLINE void form_sum(const AddNormArgs<T, R>& args, std::int64_t row, float* sum) {
  const FloatTag d;
  const std::int64_t channels = args.channels;
  const T* hidden = args.hidden == nullptr ? nullptr : args.hidden + row * channels;
  const R* residual = args.residual_in == nullptr ? nullptr : args.residual_in + row * channels;
  const auto load = [&](const auto* from, std::int64_t c, std::int64_t count) HWY_ATTR {
    return load_ordered(from, channels, c, count, args.reverse_channels);
  };
  for (std::int64_t c = 0; c < channels; c += lanes) {
    const std::int64_t count = std::min(lanes, channels - c);
    FloatVector value = hidden == nullptr ? load(residual, c, count) : load(hidden, c, count);
    if (hidden != nullptr && residual != nullptr) {
      value = rounded_to<R>(hn::Add(value, load(residual, c, count)));
    }
    hn::StoreU(value, d, sum + c);
  }
  std::fill(sum + channels, sum + padded_channels(channels), 0.0f);
  if (args.residual_out == nullptr) return;
  R* out = args.residual_out + row * channels;
  for (std::int64_t c = 0; c < channels; c += lanes) {
    store_channels(hn::LoadU(d, sum + c), out + c, std::min(lanes, channels - c));
  }
}

/// out = (sum - mean) * scale * weight + bias of a row.
template <class T, class R>
HWY_INLINE void store_normalised(const AddNormArgs<T, R>& args, std::int64_t row, const float* sum,
                                 float mean, float scale) {
  const FloatTag d;
  T* out = args.out + row * args.channels;
  for (std::int64_t c = 0; c < args.channels; c += lanes) {
    const std::int64_t count = std::min(lanes, args.channels - c);
    const FloatVector centred = hn::Sub(hn::LoadU(d, sum + c), hn::Set(d, mean));
    FloatVector value =
        hn::Mul(hn::Mul(centred, hn::Set(d, scale)), load_channels(args.weight + c, count));
    if (args.bias != nullptr) value = hn::Add(value, load_channels(args.bias + c, count));
    store_channels(value, out + c, count);
  }
}

}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
