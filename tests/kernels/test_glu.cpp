#include <cmath>
#include <gtest/gtest.h>
#include <tuple>

#include "ops/s4_ops.hpp"
#include "tests/reference/glu.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/machine.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels {
namespace {

class Glu : public testing::TestWithParam<std::tuple<Dtype, Device>> {};

TEST_P(Glu, GatesTheFirstHalfOfARowByTheSecond) {
  const auto [dtype, device] = GetParam();
  SSMGEN_SKIP_WITHOUT(device);
  test::for_each_simd_target([&, dtype = dtype, device = device] {
    for (const std::int64_t channels : {1, 7, 16, 33}) {
      constexpr std::int64_t rows = 19;
      std::vector<float> in = test::random_values<float>(rows * 2 * channels, -20.0f, 20.0f, 6);
      if (dtype == Dtype::bf16) {
        for (float& value : in) value = static_cast<float>(bfloat16(value));
      }
      std::vector<double> expected;
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t c = 0; c < channels; ++c) {
          const float* at = in.data() + row * 2 * channels + c;
          expected.push_back(
              reference::glu(static_cast<double>(at[0]), static_cast<double>(at[channels])));
        }
      }
      test::Machine machine(device);
      const core::Tensor values = machine.tensor(in, {rows, 2 * channels}, dtype);
      const core::Tensor out(*machine.backend, values.view().type(), {rows, channels});
      ops::glu(machine.context, values, out);
      EXPECT_LE(test::relative_error<float>(machine.host(out), expected), test::tolerance(dtype));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, Glu,
                         testing::Combine(testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& test) {
                           return std::string(dtype_name(std::get<0>(test.param))) + "_" +
                                  test::device_label(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace ssmgen::kernels
