#include <cmath>
#include <gtest/gtest.h>
#include <tuple>

#include "ops/s4_ops.hpp"
#include "tests/reference/gelu.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/machine.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels {
namespace {

class Gelu : public testing::TestWithParam<std::tuple<Dtype, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<1>(GetParam())); }

  static std::vector<float> run(const std::vector<float>& in, bool in_place) {
    const auto [dtype, device] = GetParam();
    const test::Machine machine(device);
    core::Context context(*machine.backend);
    const core::Shape shape{static_cast<std::int64_t>(in.size())};
    const core::Tensor values = machine.tensor(in, shape, dtype);
    const core::Tensor apart(*machine.backend, values.view().type(), shape);
    const core::Tensor& out = in_place ? values : apart;
    ops::gelu(context, values, out);
    context.synchronize();
    return machine.host(out);
  }
};

TEST_P(Gelu, IsTheNormalDistributionTimesItsArgument) {
  const Dtype dtype = std::get<0>(GetParam());
  test::for_each_simd_target([&] {
    for (const std::int64_t count : {1, 15, 17, 4099}) {
      std::vector<float> in = test::random_values<float>(count, -6.0f, 6.0f, 5);
      std::vector<double> expected;
      for (float& value : in) {
        if (dtype == Dtype::bf16) value = static_cast<float>(bfloat16(value));
        expected.push_back(reference::gelu(static_cast<double>(value)));
      }
      for (const bool in_place : {false, true}) {
        const std::vector<float> found = run(in, in_place);
        EXPECT_LE(test::relative_error<float>(found, expected), test::tolerance(dtype)) << count;
      }
    }
  });
}

TEST_P(Gelu, KeepsItsDigitsInTheTail) {
  if (std::get<0>(GetParam()) == Dtype::bf16) GTEST_SKIP() << "bf16 has few digits";
  test::for_each_simd_target([&] {
    for (const float x : {-9.0f, -5.0f, -1.0f, -1e-3f, 0.0f, 1e-3f, 5.0f, 40.0f, 1e30f}) {
      const double expected = reference::gelu(static_cast<double>(x));
      EXPECT_NEAR(run({x}, false)[0], expected, 5e-6 * std::abs(expected)) << x;
    }
    EXPECT_TRUE(std::isnan(run({NAN}, false)[0]));
  });
}

INSTANTIATE_TEST_SUITE_P(All, Gelu,
                         testing::Combine(testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& test) {
                           return std::string(dtype_name(std::get<0>(test.param))) + "_" +
                                  test::device_label(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace ssmgen::kernels
