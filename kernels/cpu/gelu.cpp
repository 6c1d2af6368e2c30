// out = x * Phi(x). Lanes are elements. With q = 1 - Phi(|x|), x * Phi(x) = max(x, 0) - |x| * q, so
// nothing cancels in the tails. Traffic: in once, out once.
#include "kernels/cpu/gelu.hpp"

#include <algorithm>

#include "kernels/cpu/blocks.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gelu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

// q = e^(-x^2/2) * h(|x|); h is a polynomial in t = 1 / (1 + 0.26 |x|), its relative error 6e-9 up
// to |x| = 14, past which q is 0 in f32.
HWY_INLINE FloatVector gelu_of(FloatVector x) {
  const FloatTag d;
  const FloatVector a = hn::Abs(x);
  const FloatVector one = hn::Set(d, 1.0f);
  const FloatVector t = hn::Div(one, hn::MulAdd(a, hn::Set(d, 0.26f), one));
  FloatVector h = hn::Set(d, 3.392576426e-02f);
  for (const float coefficient :
       {-1.705163866e-01f, 2.909763455e-01f, -2.008029222e-01f, 2.001101524e-01f, 3.121186234e-02f,
        1.094799861e-01f, 1.017158031e-01f, 1.039065644e-01f, -7.163865575e-06f}) {
    h = hn::MulAdd(h, t, hn::Set(d, coefficient));
  }
  const FloatVector square = hn::Mul(hn::Mul(a, hn::Set(d, -0.5f)), a);
  const FloatVector q = hn::Mul(exp_of_nonpositive(d, square), h);
  return hn::NegMulAdd(a, q, hn::Max(hn::Zero(d), x));
}

template <class T>
void apply(ThreadPool& pool, const GeluArgs<T>& args) {
  for_blocks(pool, args.count, sizeof(T), [&args](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; i += lanes) {
      const std::int64_t count = std::min(lanes, last - i);
      store_channels(gelu_of(load_channels(args.in + i, count)), args.out + i, count);
    }
  });
}

void apply_f32(ThreadPool& pool, const GeluArgs<float>& args) {
  apply(pool, args);
}
void apply_bf16(ThreadPool& pool, const GeluArgs<bfloat16>& args) {
  apply(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(apply_f32);
HWY_EXPORT(apply_bf16);

}  // namespace

void gelu(ThreadPool& pool, const GeluArgs<float>& args) {
  HWY_DYNAMIC_DISPATCH(apply_f32)(pool, args);
}

void gelu(ThreadPool& pool, const GeluArgs<bfloat16>& args) {
  HWY_DYNAMIC_DISPATCH(apply_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
