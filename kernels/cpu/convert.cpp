// bf16 to f32 and back. Lanes are elements.
#include "kernels/cpu/convert.hpp"

#include <algorithm>

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/convert.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

template <class From, class To>
HWY_INLINE void convert(const From* from, std::int64_t count, To* to) {
  for (std::int64_t i = 0; i < count; i += lanes) {
    store_channels(load_channels(from + i, count - i), to + i, count - i);
  }
}

void widen_all(const bfloat16* from, std::int64_t count, float* to) {
  convert(from, count, to);
}
void narrow_all(const float* from, std::int64_t count, bfloat16* to) {
  convert(from, count, to);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(widen_all);
HWY_EXPORT(narrow_all);

}  // namespace

void widen(const bfloat16* from, std::int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(widen_all)(from, count, to);
}

void narrow(const float* from, std::int64_t count, bfloat16* to) {
  HWY_DYNAMIC_DISPATCH(narrow_all)(from, count, to);
}

}  // namespace ssmgen::kernels::cpu
#endif
