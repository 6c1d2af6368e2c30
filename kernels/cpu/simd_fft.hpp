// A complex FFT of 256 points with a channel in each lane, in place: forward with its output in
// digit-reversed order (radix 4, decimation in frequency), backward from that order without a
// scale. No value moves between lanes, so no channel knows of its neighbours. Compiled once for
// every instruction set.

#if defined(SSMGEN_KERNELS_CPU_SIMD_FFT_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef SSMGEN_KERNELS_CPU_SIMD_FFT_HPP
#undef SSMGEN_KERNELS_CPU_SIMD_FFT_HPP
#else
#define SSMGEN_KERNELS_CPU_SIMD_FFT_HPP
#endif

#include <cmath>
#include <cstdint>
#include <hwy/highway.h>
#include <numbers>

#include "kernels/cpu/simd_memory.hpp"

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr int fft_points = 256;

/// cos and -sin of 2 pi k / 256: e^(-2 pi i k / 256).
struct FftTwiddles {
  float real[fft_points];
  float imaginary[fft_points];

  FftTwiddles() {
    for (int k = 0; k < fft_points; ++k) {
      const double angle = 2.0 * std::numbers::pi * k / fft_points;
      real[k] = static_cast<float>(std::cos(angle));
      imaginary[k] = static_cast<float>(-std::sin(angle));
    }
  }
};

/// Where the forward transform leaves frequency k: its four digits to base 4, reversed.
constexpr int fft_place(int k) {
  return (k & 3) << 6 | (k >> 2 & 3) << 4 | (k >> 4 & 3) << 2 | (k >> 6 & 3);
}

/// A vector of complex values; in memory a vector of real parts, then one of imaginary parts.
struct ComplexVector {
  FloatVector re;
  FloatVector im;
};

HWY_INLINE ComplexVector load_complex(const float* from) {
  const FloatTag d;
  return {hn::LoadU(d, from), hn::LoadU(d, from + lanes)};
}
HWY_INLINE void store_complex(const ComplexVector& value, float* to) {
  const FloatTag d;
  hn::StoreU(value.re, d, to);
  hn::StoreU(value.im, d, to + lanes);
}
HWY_INLINE ComplexVector add(const ComplexVector& a, const ComplexVector& b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
HWY_INLINE ComplexVector subtract(const ComplexVector& a, const ComplexVector& b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
HWY_INLINE ComplexVector multiply(const ComplexVector& a, const ComplexVector& b) {
  return {hn::NegMulAdd(a.im, b.im, hn::Mul(a.re, b.re)),
          hn::MulAdd(a.im, b.re, hn::Mul(a.re, b.im))};
}
/// i * a
HWY_INLINE ComplexVector turn(const ComplexVector& a) {
  return {hn::Neg(a.im), a.re};
}
HWY_INLINE ComplexVector twiddle(const FftTwiddles& twiddles, int k, bool conjugate) {
  const FloatTag d;
  const float imaginary = twiddles.imaginary[k];
  return {hn::Set(d, twiddles.real[k]), hn::Set(d, conjugate ? -imaginary : imaginary)};
}

/// data: 256 complex vectors.
inline void fft_forward(const FftTwiddles& twiddles, float* HWY_RESTRICT data) {
  constexpr std::int64_t stride = 2 * lanes;
  for (int size = fft_points; size >= 4; size /= 4) {
    const int quarter = size / 4;
    const int turns = fft_points / size;
    for (int i = 0; i < quarter; ++i) {
      const ComplexVector w1 = twiddle(twiddles, i * turns, false);
      const ComplexVector w2 = twiddle(twiddles, 2 * i * turns, false);
      const ComplexVector w3 = twiddle(twiddles, 3 * i * turns, false);
      for (int base = i; base < fft_points; base += size) {
        float* at = data + base * stride;
        const ComplexVector a = load_complex(at);
        const ComplexVector b = load_complex(at + quarter * stride);
        const ComplexVector c = load_complex(at + 2 * quarter * stride);
        const ComplexVector e = load_complex(at + 3 * quarter * stride);
        const ComplexVector sum_ac = add(a, c);
        const ComplexVector difference_ac = subtract(a, c);
        const ComplexVector sum_be = add(b, e);
        const ComplexVector turned_be = turn(subtract(b, e));
        store_complex(add(sum_ac, sum_be), at);
        store_complex(multiply(subtract(difference_ac, turned_be), w1), at + quarter * stride);
        store_complex(multiply(subtract(sum_ac, sum_be), w2), at + 2 * quarter * stride);
        store_complex(multiply(add(difference_ac, turned_be), w3), at + 3 * quarter * stride);
      }
    }
  }
}

/// The way back, 256 times as large.
inline void fft_backward(const FftTwiddles& twiddles, float* HWY_RESTRICT data) {
  constexpr std::int64_t stride = 2 * lanes;
  for (int size = 4; size <= fft_points; size *= 4) {
    const int quarter = size / 4;
    const int turns = fft_points / size;
    for (int i = 0; i < quarter; ++i) {
      const ComplexVector w1 = twiddle(twiddles, i * turns, true);
      const ComplexVector w2 = twiddle(twiddles, 2 * i * turns, true);
      const ComplexVector w3 = twiddle(twiddles, 3 * i * turns, true);
      for (int base = i; base < fft_points; base += size) {
        float* at = data + base * stride;
        const ComplexVector a = load_complex(at);
        const ComplexVector b = multiply(load_complex(at + quarter * stride), w1);
        const ComplexVector c = multiply(load_complex(at + 2 * quarter * stride), w2);
        const ComplexVector e = multiply(load_complex(at + 3 * quarter * stride), w3);
        const ComplexVector sum_ac = add(a, c);
        const ComplexVector difference_ac = subtract(a, c);
        const ComplexVector sum_be = add(b, e);
        const ComplexVector turned_be = turn(subtract(b, e));
        store_complex(add(sum_ac, sum_be), at);
        store_complex(add(difference_ac, turned_be), at + quarter * stride);
        store_complex(subtract(sum_ac, sum_be), at + 2 * quarter * stride);
        store_complex(subtract(difference_ac, turned_be), at + 3 * quarter * stride);
      }
    }
  }
}

}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
