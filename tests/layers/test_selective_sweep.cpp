#include <gtest/gtest.h>

#include "layers/selective_sweep.hpp"
#include "tests/layers/layer_weights.hpp"

namespace ssmgen::layers {
namespace {

using test_layers::Machine;
using test_layers::Random;
using test_layers::sizes;

constexpr std::int64_t length = 2 * kernels::tile_length + 5;

std::vector<float> reversed_rows(const std::vector<float>& values, std::int64_t channels) {
  std::vector<float> result;
  result.reserve(values.size());
  for (auto end = values.end(); end != values.begin(); end -= channels) {
    result.insert(result.end(), end - channels, end);
  }
  return result;
}

// The halves of (1, length, 2 * d_inner).
core::TensorView x_of(const core::TensorView& x_gate) {
  return x_gate.channels(0, sizes.d_inner);
}
core::TensorView gate_of(const core::TensorView& x_gate) {
  return x_gate.channels(sizes.d_inner, 2 * sizes.d_inner);
}

TEST(SelectiveSweep, TwoDirectionsAgreeUnderTimeReversal) {
  Machine machine;
  Random random(1);
  const SelectiveSweep layer(*machine.backend, sizes, Dtype::f32, random.sweep());
  const std::vector<float> xz = random.values(length * 2 * sizes.d_inner);
  const core::Tensor out(*machine.backend, core::ElementType::f32, {1, length, sizes.d_inner});
  const auto run = [&](const std::vector<float>& values, kernels::Direction direction) {
    const core::Tensor x_gate = machine.tensor(values, {1, length, 2 * sizes.d_inner});
    layer.forward(machine.context, {direction, 1}, x_of(x_gate), gate_of(x_gate), nullptr, nullptr,
                  out, false);
    return machine.host(out);
  };
  const std::vector<float> rightwards = run(xz, kernels::Direction::left_to_right);
  const std::vector<float> leftwards =
      run(reversed_rows(xz, 2 * sizes.d_inner), kernels::Direction::right_to_left);
  EXPECT_EQ(reversed_rows(leftwards, sizes.d_inner), rightwards);
  EXPECT_NE(leftwards, rightwards);
}

TEST(SelectiveSweep, ACarryJoinsChunksBitForBit) {
  Machine machine;
  Random random(2);
  const SelectiveSweep layer(*machine.backend, sizes, Dtype::f32, random.sweep());
  const core::Tensor xz =
      machine.tensor(random.values(length * 2 * sizes.d_inner), {1, length, 2 * sizes.d_inner});
  const core::Tensor whole(*machine.backend, core::ElementType::f32, {1, length, sizes.d_inner});
  const ops::Sweep sweep{kernels::Direction::left_to_right, 1};
  layer.forward(machine.context, sweep, x_of(xz), gate_of(xz), nullptr, nullptr, whole, false);

  const core::Tensor tail(*machine.backend, core::ElementType::f32,
                          {1, sizes.d_conv - 1, sizes.d_inner});
  const core::Tensor state(*machine.backend, core::ElementType::f32,
                           {1, sizes.d_inner, sizes.d_state});
  const MambaCarry carry{tail, state};
  const core::Tensor parts(*machine.backend, core::ElementType::f32, {1, length, sizes.d_inner});
  const std::int64_t cut = kernels::tile_length;
  const auto rows = [](const core::Tensor& tensor, std::int64_t begin, std::int64_t end) {
    const std::int64_t channels = tensor.view().shape()[2];
    return tensor.view()
        .reshape({length, channels})
        .slice(begin, end)
        .reshape({1, end - begin, channels});
  };
  const auto run = [&](std::int64_t begin, std::int64_t end, const MambaCarry* before,
                       const MambaCarry* after) {
    const core::TensorView part = rows(xz, begin, end);
    layer.forward(machine.context, sweep, x_of(part), gate_of(part), before, after,
                  rows(parts, begin, end), false);
  };
  run(0, cut, nullptr, &carry);
  run(cut, length, &carry, nullptr);
  EXPECT_EQ(machine.host(parts), machine.host(whole));
}

}  // namespace
}  // namespace ssmgen::layers
