// The residual add and RMSNorm on the CPU.
//   sum = hidden + residual_in as stored,  out = sum / sqrt(mean(sum^2) + epsilon) * weight (+
//   bias)
//
// Lanes are channels; a task is a block of rows. A row's sum stands in a buffer of f32 in L1, of
// which the mean square is taken in an order that is the same for every instruction set, and from
// which both outputs are written. Traffic: every array once.

#include "kernels/cpu/add_rms_norm.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/blocks.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/add_rms_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/add_norm_row.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

template <class T, class R>
void normalise_rows(const AddNormArgs<T, R>& args, std::int64_t begin, std::int64_t end) {
  const FloatTag d;
  const std::int64_t padded = padded_channels(args.channels);
  const auto channels = static_cast<float>(args.channels);
  std::vector<float> row_sum(static_cast<std::size_t>(padded));
  float* sum = row_sum.data();
  for (std::int64_t row = begin; row < end; ++row) {
    form_sum(args, row, sum);
    if (args.out == nullptr) continue;
    const float squares =
        sum_in_fixed_order(padded, [&](FloatVector partial, std::int64_t c) HWY_ATTR {
          const FloatVector value = hn::LoadU(d, sum + c);
          return hn::MulAdd(value, value, partial);
        });
    store_normalised(args, row, sum, 0.0f, 1.0f / std::sqrt(squares / channels + args.epsilon));
  }
}

template <class T, class R>
void normalise(ThreadPool& pool, const AddNormArgs<T, R>& args) {
  const std::int64_t row_bytes = args.channels * 2 * std::int64_t{sizeof(T) + sizeof(R)};
  for_blocks(pool, args.rows, row_bytes,
             [&args](std::int64_t begin, std::int64_t end) { normalise_rows(args, begin, end); });
}

void normalise_f32(ThreadPool& pool, const AddNormArgs<float, float>& args) {
  normalise(pool, args);
}
void normalise_bf16(ThreadPool& pool, const AddNormArgs<bfloat16, bfloat16>& args) {
  normalise(pool, args);
}
void normalise_mixed(ThreadPool& pool, const AddNormArgs<bfloat16, float>& args) {
  normalise(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(normalise_f32);
HWY_EXPORT(normalise_bf16);
HWY_EXPORT(normalise_mixed);

}  // namespace

void add_rms_norm(ThreadPool& pool, const AddNormArgs<float, float>& args) {
  HWY_DYNAMIC_DISPATCH(normalise_f32)(pool, args);
}

void add_rms_norm(ThreadPool& pool, const AddNormArgs<bfloat16, bfloat16>& args) {
  HWY_DYNAMIC_DISPATCH(normalise_bf16)(pool, args);
}

void add_rms_norm(ThreadPool& pool, const AddNormArgs<bfloat16, float>& args) {
  HWY_DYNAMIC_DISPATCH(normalise_mixed)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
