#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/cpu/multiply.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels::cpu {
namespace {

enum class Out { apart, a, b };

template <class T>
void check_multiply(Out where) {
  ThreadPool pool(2);
  for (const std::int64_t count : {0, 1, 2, 15, 16, 17, 127, 128, 129, 100003}) {
    auto a = test::random_values<T>(count, -2.0f, 2.0f, 3);
    auto b = test::random_values<T>(count, -2.0f, 2.0f, 4);
    // One rounding of the exact product: f32 holds that of two bf16, and f64 that of two f32.
    std::vector<T> expected;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double exact = double{static_cast<float>(a[i])} * static_cast<float>(b[i]);
      expected.push_back(T(static_cast<float>(exact)));
    }
    std::vector<T> apart(static_cast<std::size_t>(count));
    std::vector<T>& out = where == Out::a ? a : where == Out::b ? b : apart;
    MultiplyArgs<T> args;
    args.a = a.data();
    args.b = b.data();
    args.out = out.data();
    args.count = count;
    multiply(pool, args);
    EXPECT_EQ(test::bits(out), test::bits(expected)) << count;
  }
}

TEST(Multiply, RoundsTheProductOnceF32) {
  test::for_each_simd_target([] { check_multiply<float>(Out::apart); });
}
TEST(Multiply, RoundsTheProductOnceBf16) {
  test::for_each_simd_target([] { check_multiply<bfloat16>(Out::apart); });
}
TEST(Multiply, MayWriteOverAnInput) {
  check_multiply<float>(Out::a);
  check_multiply<float>(Out::b);
  check_multiply<bfloat16>(Out::a);
  check_multiply<bfloat16>(Out::b);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
