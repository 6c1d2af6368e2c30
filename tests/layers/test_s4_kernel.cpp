#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>

#include "layers/s4_dplr.hpp"
#include "layers/s4_kernel.hpp"
#include "tests/layers/s4_weights.hpp"
#include "tests/reference/s4.hpp"

namespace ssmgen::layers {
namespace {

using test_layers::s4_cases;
using test_layers::s4_parameters;
using test_layers::S4Case;

double relative_error(const std::vector<double>& found, const std::vector<double>& expected) {
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return found.size() == expected.size() ? std::sqrt(error / norm) : INFINITY;
}

class S4Kernel : public testing::TestWithParam<S4Case> {};

TEST_P(S4Kernel, IsTheRecurrencesResponse) {
  const S4Parameters s4 = s4_parameters(GetParam());
  for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
    for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
      const reference::S4Channel recurrence(s4, direction, channel);
      for (const std::int64_t length : {1, 2, 7, 64, 333}) {
        EXPECT_LT(
            relative_error(s4_kernel(s4, direction, channel, length), recurrence.kernel(length)),
            1e-10)
            << "length " << length;
      }
    }
  }
}

// C of the kernel is stored as C (I - A^L): what is recovered gives the same kernel, past L too.
TEST_P(S4Kernel, RecoversCFromWhatATrainedKernelStores) {
  const S4Parameters s4 = s4_parameters(GetParam());
  if (s4.is_diagonal()) GTEST_SKIP() << "a diagonal kernel stores C";
  constexpr std::int64_t length = 200;
  S4Parameters stored = s4;
  stored.kernel_length = length;
  for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
    for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
      const DplrModel model = dplr_model(s4, channel);
      std::vector<double> read = model.reads[static_cast<std::size_t>(direction)];
      const std::vector<double> moved = model.step.to_power(length).transposed_times(read);
      for (std::size_t n = 0; n < read.size() / 2; ++n) {
        const std::size_t low = read.size() / 2 + n;
        const auto at = static_cast<std::size_t>((direction * s4.channels + channel) * s4.states);
        stored.c[at + n] = {(read[n] - moved[n]) / 2.0, -(read[low] - moved[low]) / 2.0};
      }
    }
  }
  const S4Parameters recovered = with_recovered_c(stored);
  EXPECT_EQ(recovered.kernel_length, 0);
  for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
    for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
      const auto kernel = [&](const S4Parameters& from, std::int64_t count) {
        return s4_kernel(from, direction, channel, count);
      };
      EXPECT_LT(relative_error(kernel(stored, length), kernel(s4, length)), 1e-9);
      EXPECT_LT(relative_error(kernel(stored, 3 * length), kernel(s4, 3 * length)), 1e-9);
      // Nearer to the public implementation's kernel than to the one at the true roots of unity.
      const double moved = relative_error(kernel(recovered, length), kernel(s4, length));
      EXPECT_GT(moved, 1e-9);
      EXPECT_LT(moved, 1e-2);
    }
  }
}

// y = kernel * u + D u, both ways, against the recurrence.
TEST_P(S4Kernel, ConvolutionEqualsRecurrence) {
  constexpr std::int64_t length = 300;
  const S4Parameters s4 = s4_parameters(GetParam());
  const auto channels = static_cast<std::size_t>(s4.channels);
  std::vector<double> u;
  for (std::size_t i = 0; i < length * channels; ++i) u.push_back(std::sin(0.37 * double(i * i)));
  std::vector<double> y(u.size());
  for (std::size_t h = 0; h < channels; ++h) {
    const auto forth = s4_kernel(s4, 0, static_cast<std::int64_t>(h), length);
    const auto back = s4_kernel(s4, s4.directions - 1, static_cast<std::int64_t>(h), length);
    for (std::size_t t = 0; t < length; ++t) {
      double sum = s4.d[h] * u[t * channels + h];
      for (std::size_t s = 0; s <= t; ++s) sum += forth[t - s] * u[s * channels + h];
      for (std::size_t s = t + 1; s < length && s4.directions == 2; ++s) {
        sum += back[s - t - 1] * u[s * channels + h];
      }
      y[t * channels + h] = sum;
    }
  }
  EXPECT_LT(relative_error(y, reference::s4_mixed(s4, u)), 1e-10);
}

INSTANTIATE_TEST_SUITE_P(All, S4Kernel, testing::ValuesIn(s4_cases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(DenseF64, SolvesAndRaisesToPowers) {
  DenseF64 matrix(3);
  const double values[3][3] = {{0.0, 2.0, 1.0}, {1.0, 0.5, 0.0}, {3.0, 0.0, -1.0}};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) matrix(i, j) = values[i][j];
  }
  const std::vector<double> x = matrix.solve({5.0, 2.0, 0.0});
  EXPECT_LT(relative_error(matrix.times(x), {5.0, 2.0, 0.0}), 1e-14);
  const DenseF64 fifth = matrix.to_power(5);
  std::vector<double> vector{1.0, -2.0, 0.5};
  std::vector<double> stepped = vector;
  for (int i = 0; i < 5; ++i) stepped = matrix.times(stepped);
  EXPECT_LT(relative_error(fifth.times(vector), stepped), 1e-14);
  EXPECT_THROW(DenseF64(2).solve(std::vector<double>{1.0, 1.0}), InvalidArgument);
}

}  // namespace
}  // namespace ssmgen::layers
