// The vector functions against f64 over their whole range, on every instruction set.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "kernels/common.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/kernels/test_simd_math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/simd_memory.hpp"
#include "tests/support/simd_targets.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

template <class Function>
void map(const std::vector<float>& in, std::vector<float>& out, const Function& function) {
  const auto size = static_cast<std::int64_t>(in.size());
  for (std::int64_t i = 0; i < size; i += lanes) {
    const FloatVector x = load_channels(in.data() + i, std::min(lanes, size - i));
    store_channels(function(x), out.data() + i, std::min(lanes, size - i));
  }
}

void map_exp2(const std::vector<float>& in, std::vector<float>& out) {
  map(in, out, [](FloatVector x) HWY_ATTR { return exp2(FloatTag(), x); });
}
void map_softplus(const std::vector<float>& in, std::vector<float>& out) {
  map(in, out, [](FloatVector x) HWY_ATTR { return softplus(FloatTag(), x); });
}
void map_silu(const std::vector<float>& in, std::vector<float>& out) {
  map(in, out, [](FloatVector x) HWY_ATTR { return silu(FloatTag(), x); });
}

void map_round_to_bf16(const std::vector<float>& in, std::vector<bfloat16>& out) {
  const auto size = static_cast<std::int64_t>(in.size());
  for (std::int64_t i = 0; i < size; i += lanes) {
    const std::int64_t count = std::min(lanes, size - i);
    store_channels(load_channels(in.data() + i, count), out.data() + i, count);
  }
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(map_exp2);
HWY_EXPORT(map_softplus);
HWY_EXPORT(map_silu);
HWY_EXPORT(map_round_to_bf16);

// Fine around zero, where the fits join, and out to the ends of f32.
std::vector<float> arguments(float low, float high) {
  std::vector<float> values;
  for (int i = 0; i <= 400000; ++i) {
    values.push_back(low + (high - low) * static_cast<float>(i) / 400000.0f);
  }
  for (float x = 1e-30f; x < 10.0f; x *= 1.1f) {
    values.push_back(x);
    values.push_back(-x);
  }
  values.push_back(0.0f);
  return values;
}

// The largest relative error where the expected value is a normal number; below, the value must be
// as small.
template <class Expected>
double largest_error(const std::vector<float>& in, const std::vector<float>& got,
                     const Expected& expected) {
  double largest = 0.0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double right = expected(static_cast<double>(in[i]));
    const double normal = std::numeric_limits<float>::min();
    const double scale = std::fmax(std::fabs(right), normal);
    double error = std::fabs(got[i] - right) / scale;
    if (std::fabs(right) < normal) error *= 0.5e-7;  // flushed to zero or not: both are right
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

TEST(SimdMath, Exp2) {
  const auto in = arguments(-140.0f, 127.4f);
  test::for_each_simd_target([&] {
    std::vector<float> out(in.size());
    HWY_DYNAMIC_DISPATCH(map_exp2)(in, out);
    // Without fused multiply-adds (SSE4, scalar) every step rounds twice.
    EXPECT_LE(largest_error(in, out, [](double x) { return std::exp2(x); }), 2.0e-7);
  });
}

// A decay near 1 keeps its distance from 1: an error there would grow with the length.
TEST(SimdMath, Exp2NearZeroIsExactToTheLastBit) {
  std::vector<float> in;
  for (float x = 1e-9f; x < 1e-3f; x *= 1.01f) in.push_back(-x);
  test::for_each_simd_target([&] {
    std::vector<float> out(in.size());
    HWY_DYNAMIC_DISPATCH(map_exp2)(in, out);
    for (std::size_t i = 0; i < in.size(); ++i) {
      EXPECT_NEAR(out[i], std::exp2(static_cast<double>(in[i])), 0x1p-24 * 0.51) << in[i];
    }
  });
}

TEST(SimdMath, Softplus) {
  const auto in = arguments(-100.0f, 100.0f);
  test::for_each_simd_target([&] {
    std::vector<float> out(in.size());
    HWY_DYNAMIC_DISPATCH(map_softplus)(in, out);
    const auto expected = [](double x) { return x > 40.0 ? x : std::log1p(std::exp(x)); };
    EXPECT_LE(largest_error(in, out, expected), 2.0e-7);
  });
}

TEST(SimdMath, Silu) {
  const auto in = arguments(-87.0f, 90.0f);
  test::for_each_simd_target([&] {
    std::vector<float> out(in.size());
    HWY_DYNAMIC_DISPATCH(map_silu)(in, out);
    EXPECT_LE(largest_error(in, out, [](double x) { return x / (1.0 + std::exp(-x)); }), 2.5e-7);
  });
}

TEST(SimdMath, EndsOfTheRange) {
  const std::vector<float> in = {-3e38f, -1e30f, -1000.0f, 1000.0f, 1e30f, 3e38f};
  test::for_each_simd_target([&] {
    std::vector<float> out(in.size());
    HWY_DYNAMIC_DISPATCH(map_exp2)(in, out);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(out[i], 0.0f) << in[i];
    for (int i = 3; i < 6; ++i) EXPECT_EQ(out[i], INFINITY) << in[i];
    HWY_DYNAMIC_DISPATCH(map_softplus)(in, out);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(out[i], 0.0f) << in[i];
    for (int i = 3; i < 6; ++i) EXPECT_EQ(out[i], in[i]);
    HWY_DYNAMIC_DISPATCH(map_silu)(in, out);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(out[i], 0.0f) << in[i];
    for (int i = 3; i < 6; ++i) EXPECT_EQ(out[i], in[i]);
  });
}

TEST(SimdMath, NanStaysNan) {
  const std::vector<float> in = {1.0f, NAN, -NAN, 2.0f};
  test::for_each_simd_target([&] {
    if (hwy::SupportedTargets() == HWY_SCALAR) return;
    for (const auto map : {HWY_DYNAMIC_DISPATCH(map_softplus), HWY_DYNAMIC_DISPATCH(map_silu)}) {
      std::vector<float> out(in.size());
      map(in, out);
      for (std::size_t i = 0; i < in.size(); ++i) EXPECT_EQ(std::isnan(out[i]), std::isnan(in[i]));
    }
  });
}

TEST(SimdMemory, RoundsToBf16AsTheTypeDoes) {
  std::vector<float> in = {0.0f, -0.0f, INFINITY, -INFINITY, 3.4e38f, 1e-45f, NAN, -NAN};
  for (std::uint32_t word = 0x3f7f0000u; word < 0x3f830000u; word += 0x1fffu) {
    in.push_back(std::bit_cast<float>(word));
    in.push_back(-std::bit_cast<float>(word));
  }
  for (const std::uint32_t tie : {0x3f808000u, 0x3f818000u, 0x7f800001u, 0xffffffffu}) {
    in.push_back(std::bit_cast<float>(tie));
  }
  test::for_each_simd_target([&] {
    std::vector<bfloat16> out(in.size());
    HWY_DYNAMIC_DISPATCH(map_round_to_bf16)(in, out);
    for (std::size_t i = 0; i < in.size(); ++i) {
      EXPECT_EQ(out[i].bits, bfloat16(in[i]).bits) << in[i];
    }
  });
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
#endif
