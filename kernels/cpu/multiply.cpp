// out[i] = a[i] * b[i] in f32. Lanes are elements. Traffic: a and b once, out once.
#include "kernels/cpu/multiply.hpp"

#include <algorithm>

#include "kernels/cpu/blocks.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/multiply.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

template <class T>
void multiply_all(ThreadPool& pool, const MultiplyArgs<T>& args) {
  for_blocks(pool, args.count, sizeof(T), [&args](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; i += lanes) {
      const std::int64_t count = std::min(lanes, last - i);
      store_channels(hn::Mul(load_channels(args.a + i, count), load_channels(args.b + i, count)),
                     args.out + i, count);
    }
  });
}

void multiply_f32(ThreadPool& pool, const MultiplyArgs<float>& args) {
  multiply_all(pool, args);
}
void multiply_bf16(ThreadPool& pool, const MultiplyArgs<bfloat16>& args) {
  multiply_all(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_bf16);

}  // namespace

void multiply(ThreadPool& pool, const MultiplyArgs<float>& args) {
  HWY_DYNAMIC_DISPATCH(multiply_f32)(pool, args);
}

void multiply(ThreadPool& pool, const MultiplyArgs<bfloat16>& args) {
  HWY_DYNAMIC_DISPATCH(multiply_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
