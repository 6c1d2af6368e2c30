#include <cmath>
#include <gtest/gtest.h>

#include "layers/bi_mamba_block.hpp"
#include "tests/layers/layer_weights.hpp"

namespace ssmgen::layers {
namespace {

using test_layers::Machine;
using test_layers::Random;
using test_layers::sizes;

constexpr std::int64_t rows = 9;

BiMambaBlockWeights block_weights(Random& random) {
  BiMambaBlockWeights weights;
  weights.norm.weight.assign(static_cast<std::size_t>(sizes.d_model), 1.0f);
  weights.first = random.sweep();
  weights.first_projection = random.projection();
  weights.second = random.sweep();
  return weights;
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4f) << i;
}

// out_proj.y + bias of each direction, joined in f64.
std::vector<float> joined(const ProjectionWeights& first, const ProjectionWeights& second,
                          const std::vector<float>& y1, const std::vector<float>& y2, Join join) {
  std::vector<float> result;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t o = 0; o < sizes.d_model; ++o) {
      const auto at = static_cast<std::size_t>(o);
      double a = static_cast<double>(first.out_bias[at]);
      double b = static_cast<double>(second.out_bias[at]);
      for (std::int64_t i = 0; i < sizes.d_inner; ++i) {
        const auto w = static_cast<std::size_t>(o * sizes.d_inner + i);
        const auto y = static_cast<std::size_t>(row * sizes.d_inner + i);
        a += static_cast<double>(first.out_proj[w]) * static_cast<double>(y1[y]);
        b += static_cast<double>(second.out_proj[w]) * static_cast<double>(y2[y]);
      }
      result.push_back(static_cast<float>(join == Join::add ? a + b : a * b));
    }
  }
  return result;
}

class BlockJoin : public testing::TestWithParam<std::tuple<bool, Join>> {};

TEST_P(BlockJoin, IsTheSumOrProductOfBothDirectionsWithBothBiases) {
  const auto [tied, join] = GetParam();
  Machine machine;
  Random random(3);
  BiMambaBlockWeights weights = block_weights(random);
  weights.join = join;
  if (!tied) weights.second_projection = random.projection();
  const BiMambaBlock block(*machine.backend, sizes, Dtype::f32, weights);
  EXPECT_EQ(block.shares_in_proj(), tied);
  EXPECT_EQ(block.sums_sweeps(), tied && join == Join::add);

  const std::vector<float> y1 = random.values(rows * sizes.d_inner);
  const std::vector<float> y2 = random.values(rows * sizes.d_inner);
  const core::Tensor hidden(*machine.backend, core::ElementType::f32, {rows, sizes.d_model});
  const core::Shape shape{rows, sizes.d_inner};
  if (block.sums_sweeps()) {
    std::vector<float> sum(y1.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = y1[i] + y2[i];
    block.join(machine.context, machine.tensor(sum, shape), {}, hidden);
  } else {
    block.join(machine.context, machine.tensor(y1, shape), machine.tensor(y2, shape), hidden);
  }
  const ProjectionWeights& second = tied ? weights.first_projection : *weights.second_projection;
  expect_near(machine.host(hidden), joined(weights.first_projection, second, y1, y2, join));
}

INSTANTIATE_TEST_SUITE_P(All, BlockJoin,
                         testing::Combine(testing::Bool(),
                                          testing::Values(Join::add, Join::multiply)));

TEST(BiMambaBlock, OneDirectionHasOneBias) {
  Machine machine;
  Random random(4);
  BiMambaBlockWeights weights = block_weights(random);
  weights.second.reset();
  const BiMambaBlock block(*machine.backend, sizes, Dtype::f32, weights);
  EXPECT_FALSE(block.is_bidirectional());
  const core::Tensor hidden(*machine.backend, core::ElementType::f32, {rows, sizes.d_model});
  const std::vector<float> zeros(static_cast<std::size_t>(rows * sizes.d_inner));
  block.join(machine.context, machine.tensor(zeros, {rows, sizes.d_inner}), {}, hidden);
  const std::vector<float> found = machine.host(hidden);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i],
              weights.first_projection.out_bias[i % static_cast<std::size_t>(sizes.d_model)]);
  }
}

}  // namespace
}  // namespace ssmgen::layers
