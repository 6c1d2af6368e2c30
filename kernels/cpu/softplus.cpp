// softplus over a row. Lanes are elements.
#include "kernels/cpu/softplus.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softplus.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

template <class T>
HWY_INLINE void softplus_row(const float* from, std::int64_t count, T* to) {
  const FloatTag d;
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    store_channels(softplus(d, load_channels(from + i)), to + i);
  }
  if (i < count) store_channels(softplus(d, load_channels(from + i, count - i)), to + i, count - i);
}

void softplus_f32(const float* from, std::int64_t count, float* to) {
  softplus_row(from, count, to);
}
void softplus_bf16(const float* from, std::int64_t count, bfloat16* to) {
  softplus_row(from, count, to);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(softplus_f32);
HWY_EXPORT(softplus_bf16);

}  // namespace

void softplus(const float* from, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(softplus_f32)(from, count, to);
}

void softplus(const float* from, std::int64_t count, bfloat16* to) {
  HWY_DYNAMIC_DISPATCH(softplus_bf16)(from, count, to);
}

}  // namespace ssmgen::kernels::cpu
#endif
