// Vector exponential, softplus and SiLU in f32, compiled once for every instruction set: included
// by a kernel between Highway's foreach_target.h and its own code. Coefficients are minimax fits
// (Remez); the errors stated are the largest relative ones that test_simd_math finds on any
// instruction set, rounding included.
// softplus and silu of NaN are NaN, so that a bad input is seen in the output: a bound is the first
// operand of Max, which answers with the second when that is NaN (but for the scalar target).

// Highway includes this header once for every target, so the guard flips instead of staying.
#if defined(SSMGEN_KERNELS_CPU_SIMD_MATH_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef SSMGEN_KERNELS_CPU_SIMD_MATH_HPP
#undef SSMGEN_KERNELS_CPU_SIMD_MATH_HPP
#else
#define SSMGEN_KERNELS_CPU_SIMD_MATH_HPP
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// An exponent in two parts: the nearest whole number and what is left, in [-0.5, 0.5].
template <class V>
struct SplitExponent {
  V whole;
  V fraction;
};

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
// AVX-512 splits an exponent and scales by a power of two in one instruction each, for every
// value from -inf to inf without bounds: the scan runs 1.4 times as fast as with the generic
// way below (kernels/README.md). The mask forms are the plain instructions; the plain intrinsics of
// g++ 12 warn of an uninitialised value (GCC bug 105593).
template <class D, class V = hn::Vec<D>>
HWY_INLINE SplitExponent<V> split_exponent(D /*d*/, V exponent) {
  constexpr int nearest_quietly = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  return {V{_mm512_maskz_roundscale_ps(0xffff, exponent.raw, nearest_quietly)},
          V{_mm512_maskz_reduce_ps(0xffff, exponent.raw, nearest_quietly)}};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V scale_by_power_of_two(D /*d*/, V value, V whole) {
  return V{_mm512_maskz_scalef_ps(0xffff, value.raw, whole.raw)};
}
#else
template <class D, class V = hn::Vec<D>>
HWY_INLINE SplitExponent<V> split_exponent(D d, V exponent) {
  const V bounded = hn::Min(hn::Set(d, 128.0f), hn::Max(hn::Set(d, -127.0f), exponent));
  const V whole = hn::Round(bounded);
  return {whole, hn::Sub(bounded, whole)};
}

// A power below 2^-126 is not a normal number and is flushed to zero.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V scale_by_power_of_two(D d, V value, V whole) {
  const hn::RebindToSigned<D> di;
  const auto biased = hn::Max(hn::Add(hn::NearestInt(whole), hn::Set(di, 127)), hn::Zero(di));
  return hn::Mul(value, hn::BitCast(d, hn::ShiftLeft<23>(biased)));
}
#endif

/// 2^x for any finite x; underflow gives 0, and inf may come from 127.5 on. Error 1.8e-7; near x =
/// 0 it is 1 + x * ln 2 to the last bit, so that a slow decay does not drift.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp2(D d, V x) {
  const auto [whole, f] = split_exponent(d, x);
  V p = hn::Set(d, 1.326472731e-03f);
  p = hn::MulAdd(p, f, hn::Set(d, 9.671512991e-03f));
  p = hn::MulAdd(p, f, hn::Set(d, 5.550733581e-02f));
  p = hn::MulAdd(p, f, hn::Set(d, 2.402224243e-01f));
  p = hn::MulAdd(p, f, hn::Set(d, 6.931470037e-01f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0f));
  return scale_by_power_of_two(d, p, whole);
}

/// e^x for finite x <= 0, as exact where x is large: the reduction by ln 2 is in two
/// parts, the first of which has so few bits that its product is exact.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of_nonpositive(D d, V x) {
  const V bounded = hn::Max(hn::Set(d, -105.0f), x);  // e^-104 is already 0 in f32
  const V whole = hn::Round(hn::Mul(bounded, hn::Set(d, 1.442695041f)));
  V r = hn::NegMulAdd(whole, hn::Set(d, 0.693359375f), bounded);
  r = hn::NegMulAdd(whole, hn::Set(d, -2.12194440e-4f), r);
  // Polynomials of staged functions are evaluated as trees: one after the other, the long chain of
  // a Horner scheme fills the scheduler and halves the rate.
  const V r2 = hn::Mul(r, r);
  const V low = hn::MulAdd(r, hn::Set(d, 1.666652113e-01f), hn::Set(d, 4.999999404e-01f));
  const V high = hn::MulAdd(r, hn::Set(d, 8.368716575e-03f), hn::Set(d, 4.166838899e-02f));
  const V q = hn::MulAdd(r2, hn::MulAdd(r2, hn::Set(d, 1.381459530e-03f), high), low);
  const V p = hn::Add(hn::MulAdd(r2, q, r), hn::Set(d, 1.0f));
  return scale_by_power_of_two(d, p, whole);
}

/// log(1 + e^x) for any finite x, as max(x, 0) + log1p(e^-|x|). Error 1.8e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V softplus(D d, V x) {
  const V e = exp_of_nonpositive(d, hn::Neg(hn::Abs(x)));
  // log1p(e) = e + e^2 s(e) on [0, 1]: no second range reduction is needed.
  const V e2 = hn::Mul(e, e);
  const V e4 = hn::Mul(e2, e2);
  const V s01 = hn::MulAdd(e, hn::Set(d, 3.332132399e-01f), hn::Set(d, -4.999964833e-01f));
  const V s23 = hn::MulAdd(e, hn::Set(d, 1.915365607e-01f), hn::Set(d, -2.485716343e-01f));
  const V s45 = hn::MulAdd(e, hn::Set(d, 7.920456678e-02f), hn::Set(d, -1.375380456e-01f));
  const V s67 = hn::MulAdd(e, hn::Set(d, 5.364829674e-03f), hn::Set(d, -3.006581217e-02f));
  const V s = hn::MulAdd(e4, hn::MulAdd(e2, s67, s45), hn::MulAdd(e2, s23, s01));
  const V log1p = hn::MulAdd(e2, s, e);
  return hn::Add(hn::Max(hn::Zero(d), x), log1p);
}

/// x / (1 + e^-x) for any finite x. Error 2.2e-7.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V silu(D d, V x) {
  const V e = exp_of_nonpositive(d, hn::Neg(hn::Abs(x)));
  const V one = hn::Set(d, 1.0f);
  const V numerator = hn::IfThenElse(hn::Ge(x, hn::Zero(d)), one, e);
  return hn::Div(hn::Mul(x, numerator), hn::Add(one, e));
}

}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
