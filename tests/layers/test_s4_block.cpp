// The layer on a device against the f64 recurrence, and the laws of a sweep.
#include <algorithm>
#include <gtest/gtest.h>

#include "layers/s4_block.hpp"
#include "tests/layers/s4_weights.hpp"
#include "tests/reference/s4.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/machine.hpp"

namespace ssmgen::layers {
namespace {

using core::TensorView;
using kernels::Direction;
using kernels::tile_length;
using test_layers::s4_cases;
using test_layers::s4_parameters;
using test_layers::S4Case;

class S4Layer : public testing::TestWithParam<std::tuple<S4Case, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<1>(GetParam())); }
  static test::Machine machine() { return test::Machine(std::get<1>(GetParam())); }
  static S4Parameters parameters(std::int64_t channels = 5) {
    return s4_parameters(std::get<0>(GetParam()), channels);
  }

  /// Both directions of one sequence, cut where told; `cuts` begins with 0 and ends with the
  /// length.
  static std::vector<float> mixed(const S4Parameters& s4, const std::vector<float>& values,
                                  const std::vector<std::int64_t>& cuts) {
    test::Machine host = machine();
    const auto sweep = make_s4_sweep(*host.backend, s4);
    const std::int64_t length = cuts.back();
    const core::Tensor in = host.tensor(values, {length, s4.channels});
    const core::Tensor out(*host.backend, core::ElementType::f32, {length, s4.channels});
    const core::Tensor state(*host.backend, core::ElementType::f32, sweep->carry_shape(1));
    for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
      const bool rightwards = direction == Direction::left_to_right;
      if (!rightwards && s4.directions == 1) break;
      const std::size_t chunks = cuts.size() - 1;
      for (std::size_t step = 0; step < chunks; ++step) {
        const std::size_t chunk = rightwards ? step : chunks - 1 - step;
        const auto part = [&](const core::Tensor& whole) {
          return whole.view()
              .slice(cuts[chunk], cuts[chunk + 1])
              .reshape({1, cuts[chunk + 1] - cuts[chunk], s4.channels});
        };
        sweep->forward(host.context, direction, part(in), step > 0 ? state.view() : TensorView(),
                       step + 1 < chunks ? state.view() : TensorView(), part(out), !rightwards);
      }
    }
    return host.host(out);
  }
};

TEST_P(S4Layer, IsTheF64RecurrenceAndTheSameInChunks) {
  constexpr std::int64_t length = 3 * tile_length + 77;
  const S4Parameters s4 = parameters();
  const std::vector<float> u = test::random_values<float>(length * s4.channels, -1.0f, 1.0f, 3);
  const std::vector<float> whole = mixed(s4, u, {0, length});
  const std::vector<double> expected =
      reference::s4_mixed(s4, std::vector<double>(u.begin(), u.end()));
  EXPECT_LE(test::relative_error<float>(whole, expected), test::model_tolerance);
  for (const std::vector<std::int64_t>& cuts :
       {std::vector<std::int64_t>{0, 1, 2, 3}, {0, 2}, {0, 1, 3}, {0, 3}}) {
    std::vector<std::int64_t> places;
    for (const std::int64_t cut : cuts) places.push_back(cut * tile_length);
    places.push_back(length);
    EXPECT_EQ(mixed(s4, u, places), whole) << cuts.size() << " chunks";
  }
}

TEST_P(S4Layer, RemembersTheFarPastAsTheRecurrenceDoes) {
  // A slow state sees 30 tiles back; a rounded decay would have drifted by then.
  constexpr std::int64_t length = 30 * tile_length;
  S4Parameters s4 = parameters(1);
  s4.dt[0] = 1e-4;
  std::vector<float> u(length, 0.0f);
  for (std::size_t i = 0; i < 400; ++i) u[i] = u[length - 1 - i] = 1.0f;
  const std::vector<double> expected =
      reference::s4_mixed(s4, std::vector<double>(u.begin(), u.end()));
  EXPECT_LE(test::relative_error<float>(mixed(s4, u, {0, length}), expected),
            test::model_tolerance);
}

TEST_P(S4Layer, DirectionsAgreeUnderTimeReversal) {
  constexpr std::int64_t length = 2 * tile_length;
  S4Parameters s4 = parameters();
  if (s4.directions == 1) GTEST_SKIP() << "one direction";
  // With both read-outs the same and no D, the second direction is the first one's mirror image,
  // one position further.
  std::copy_n(s4.c.begin(), s4.channels * s4.states, s4.c.begin() + s4.channels * s4.states);
  std::fill(s4.d.begin(), s4.d.end(), 0.0);
  test::Machine host = machine();
  const auto sweep = make_s4_sweep(*host.backend, s4);
  const std::vector<float> u = test::random_values<float>(length * s4.channels, -1.0f, 1.0f, 4);
  const auto run = [&](const std::vector<float>& values, Direction direction) {
    const core::Tensor in = host.tensor(values, {1, length, s4.channels});
    const core::Tensor out(*host.backend, core::ElementType::f32, {1, length, s4.channels});
    sweep->forward(host.context, direction, in, {}, {}, out, false);
    return host.host(out);
  };
  const std::vector<float> forth = run(u, Direction::left_to_right);
  const std::vector<float> back = test::reversed_rows(
      run(test::reversed_rows(u, s4.channels), Direction::right_to_left), s4.channels);
  const std::vector<float> later(back.begin() + s4.channels, back.end());
  const std::vector<double> expected(forth.begin(), forth.end() - s4.channels);
  EXPECT_LE(test::relative_error<float>(later, expected), test::tolerance(Dtype::f32));
}

TEST_P(S4Layer, BlockIsTheF64Block) {
  constexpr std::int64_t length = 500;
  test::Machine host = machine();
  S4BlockWeights weights;
  weights.model = parameters();
  const std::int64_t channels = weights.model.channels;
  weights.output = test::random_values<float>(2 * channels * channels, -1.0f, 1.0f, 5);
  weights.output_bias = test::random_values<float>(2 * channels, -1.0f, 1.0f, 6);
  const S4Block block(*host.backend, Dtype::f32, weights);
  EXPECT_EQ(block.is_bidirectional(), weights.model.directions == 2);
  const std::vector<float> u = test::random_values<float>(length * channels, -1.0f, 1.0f, 7);
  const core::Tensor mixed_rows =
      host.tensor(mixed(weights.model, u, {0, length}), {length, channels});
  const core::Tensor out(*host.backend, core::ElementType::f32, {length, channels});
  block.finish(host.context, mixed_rows, out);
  const std::vector<double> expected =
      reference::s4_block(weights, std::vector<double>(u.begin(), u.end()));
  EXPECT_LE(test::relative_error<float>(host.host(out), expected), test::model_tolerance);
}

INSTANTIATE_TEST_SUITE_P(All, S4Layer,
                         testing::Combine(testing::ValuesIn(s4_cases),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  test::device_label(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace ssmgen::layers
