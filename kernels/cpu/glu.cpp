// out = a * sigmoid(b). Lanes are channels, a task is a block of rows. Traffic: in once, out once.
#include "kernels/cpu/glu.hpp"

#include <algorithm>

#include "kernels/cpu/blocks.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/glu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

template <class T>
void apply(ThreadPool& pool, const GluArgs<T>& args) {
  const std::int64_t row_bytes = 3 * args.channels * std::int64_t{sizeof(T)};
  for_blocks(pool, args.rows, row_bytes, [&args](std::int64_t first, std::int64_t last) {
    const FloatTag d;
    const FloatVector one = hn::Set(d, 1.0f);
    for (std::int64_t row = first; row < last; ++row) {
      const T* a = args.in + row * 2 * args.channels;
      const T* b = a + args.channels;
      T* out = args.out + row * args.channels;
      for (std::int64_t c = 0; c < args.channels; c += lanes) {
        const std::int64_t count = std::min(lanes, args.channels - c);
        const FloatVector gate = load_channels(b + c, count);
        const FloatVector e = exp_of_nonpositive(d, hn::Neg(hn::Abs(gate)));
        const FloatVector numerator = hn::IfThenElse(hn::Ge(gate, hn::Zero(d)), one, e);
        const FloatVector value = hn::Mul(load_channels(a + c, count), numerator);
        store_channels(hn::Div(value, hn::Add(one, e)), out + c, count);
      }
    }
  });
}

void apply_f32(ThreadPool& pool, const GluArgs<float>& args) {
  apply(pool, args);
}
void apply_bf16(ThreadPool& pool, const GluArgs<bfloat16>& args) {
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

void glu(ThreadPool& pool, const GluArgs<float>& args) {
  HWY_DYNAMIC_DISPATCH(apply_f32)(pool, args);
}

void glu(ThreadPool& pool, const GluArgs<bfloat16>& args) {
  HWY_DYNAMIC_DISPATCH(apply_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
