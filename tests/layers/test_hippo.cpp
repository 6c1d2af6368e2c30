#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

#include "layers/hippo.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::layers {
namespace {

using Complex = std::complex<double>;

class HippoForms : public testing::TestWithParam<std::tuple<HippoMeasure, std::int64_t>> {};

// basis . (diag(a) - p p^*) . basis^* over the states and their conjugates is the real matrix.
TEST_P(HippoForms, DiagonalPlusLowRankIsTheRealMatrix) {
  const auto [measure, size] = GetParam();
  const HippoSystem system = hippo_system(measure, size);
  const HippoStart start = hippo_start(measure, size);
  const auto n = static_cast<std::size_t>(size);
  const std::size_t states = n / 2;
  ASSERT_EQ(start.a.size(), states);
  double largest = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    Complex input = 0.0;
    for (std::size_t s = 0; s < states; ++s)
      input += 2.0 * start.basis[i * states + s] * start.b[s];
    EXPECT_NEAR(input.real(), system.input[i], 1e-9);
    for (std::size_t j = 0; j < n; ++j) {
      double value = 0.0;
      for (std::size_t s = 0; s < states; ++s) {
        value += 2.0 *
                 (start.basis[i * states + s] * start.a[s] * std::conj(start.basis[j * states + s]))
                     .real();
      }
      for (const auto& p : start.p) {
        double left = 0.0;
        double right = 0.0;
        for (std::size_t s = 0; s < states; ++s) {
          left += 2.0 * (start.basis[i * states + s] * p[s]).real();
          right += 2.0 * (start.basis[j * states + s] * p[s]).real();
        }
        value -= left * right;
      }
      largest = std::max(largest, std::abs(value - system.matrix(i, j)));
    }
  }
  EXPECT_LT(largest, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(All, HippoForms,
                         testing::Combine(testing::Values(HippoMeasure::legs, HippoMeasure::legt),
                                          testing::Values(2, 8, 64)));

TEST(Hippo, LegSHasTheSameDecayInAllStates) {
  const HippoStart start = hippo_start(HippoMeasure::legs, 64);
  for (const Complex& a : start.a) EXPECT_NEAR(a.real(), -0.5, 1e-10);
  EXPECT_EQ(start.p.size(), 1u);
  // The matrix itself is triangular: its eigenvalues are -1, -2, ...
  const HippoSystem system = hippo_system(HippoMeasure::legs, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(system.matrix(i, i), -static_cast<double>(i + 1));
    for (std::size_t j = i + 1; j < 4; ++j) EXPECT_EQ(system.matrix(i, j), 0.0);
  }
  EXPECT_NEAR(system.matrix(2, 1), -std::sqrt(15.0), 1e-14);
}

TEST(Hippo, LegTRemembersAWindowWithRankTwo) {
  const HippoStart start = hippo_start(HippoMeasure::legt, 8);
  EXPECT_EQ(start.p.size(), 2u);
  const HippoSystem system = hippo_system(HippoMeasure::legt, 2);
  EXPECT_NEAR(system.matrix(0, 0), -0.5, 1e-15);
  EXPECT_NEAR(system.matrix(0, 1), 0.5 * std::sqrt(3.0), 1e-15);
  EXPECT_NEAR(system.matrix(1, 0), -0.5 * std::sqrt(3.0), 1e-15);
  EXPECT_NEAR(system.matrix(1, 1), -1.5, 1e-15);
}

TEST(Hippo, LinAndInvAreTheFormulasOfS4D) {
  const HippoStart lin = hippo_start(HippoMeasure::lin, 8);
  const HippoStart inv = hippo_start(HippoMeasure::inv, 8);
  ASSERT_EQ(lin.a.size(), 4u);
  for (std::size_t n = 0; n < 4; ++n) {
    const auto at = static_cast<double>(n);
    EXPECT_EQ(lin.a[n].real(), -0.5);
    EXPECT_NEAR(std::abs(lin.a[n].imag()), std::numbers::pi * at, 1e-12);
    EXPECT_EQ(inv.a[n].real(), -0.5);
    EXPECT_NEAR(std::abs(inv.a[n].imag()), 8.0 / std::numbers::pi * (8.0 / (2.0 * at + 1.0) - 1.0),
                1e-12);
    EXPECT_EQ(lin.b[n], Complex(1.0));
  }
  EXPECT_TRUE(lin.p.empty());
}

TEST(Hippo, RefusesSizesAndMeasuresThatItHasNot) {
  for (const std::int64_t size : {-2, 0, 1, 7}) {
    test::expect_error<InvalidArgument>([&] { hippo_start(HippoMeasure::legs, size); },
                                        {"even", std::to_string(size)});
  }
  test::expect_error<InvalidArgument>([] { hippo_system(HippoMeasure::lin, 4); }, {"diagonal"});
}

}  // namespace
}  // namespace ssmgen::layers
