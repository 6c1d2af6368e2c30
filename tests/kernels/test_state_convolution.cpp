#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <tuple>
#include <vector>

#include "ops/s4_ops.hpp"
#include "tests/reference/state_convolution.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/machine.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels {
namespace {

using core::Shape;
using core::Tensor;
using core::TensorView;
using test::random_values;

struct Problem {
  std::int64_t batch = 2;
  std::int64_t length = 130;
  std::int64_t channels = 19;
  std::int64_t states = 6;
  Direction direction = Direction::left_to_right;
  bool has_state_in = false;
  bool has_state_out = false;
  bool accumulate = false;
};

struct Results {
  std::vector<float> out;
  std::vector<float> state;
};

/// Of a size that neither grows nor dies over a few blocks.
struct Tables {
  Tables(std::int64_t channels, std::int64_t states)
      : taps(random_values<float>(convolution_block * channels, -0.1f, 0.2f, 1)),
        out_table(in_panels(channels, convolution_block * states, -0.2f, 0.6f, 2)),
        in_table(in_panels(channels, convolution_block * states, -0.01f, 0.03f, 3)),
        decay(in_panels(channels, states * states, -0.2f / static_cast<float>(states),
                        1.0f / static_cast<float>(states), 4)) {}

  // Past the last channel stand values that nobody may use, in place of the contract's zeros.
  static std::vector<float> in_panels(std::int64_t channels, std::int64_t rows, float low,
                                      float high, std::uint32_t seed) {
    const std::int64_t panels = convolution_panels(channels);
    std::vector<float> values =
        random_values<float>(panels * rows * convolution_panel, low, high, seed);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t c = channels; c < panels * convolution_panel; ++c) {
        values[static_cast<std::size_t>(convolution_element(rows, row, c))] = 1e30f;
      }
    }
    return values;
  }

  std::vector<float> taps;
  std::vector<float> out_table;
  std::vector<float> in_table;
  std::vector<float> decay;
};

class StateConvolution : public testing::TestWithParam<std::tuple<Dtype, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<1>(GetParam())); }
  static Dtype dtype() { return std::get<0>(GetParam()); }
  static test::Machine machine(int threads = 2) {
    return test::Machine(std::get<1>(GetParam()), threads);
  }

  static std::vector<float> stored(std::vector<float> values) {
    if (dtype() == Dtype::bf16) {
      for (float& value : values) value = static_cast<float>(bfloat16(value));
    }
    return values;
  }
  static std::vector<float> inputs(const Problem& problem) {
    return stored(
        random_values<float>(problem.batch * problem.length * problem.channels, -1.0f, 2.0f, 11));
  }
  static std::vector<float> earlier(const Problem& problem) {
    return stored(
        random_values<float>(problem.batch * problem.length * problem.channels, -1.0f, 1.0f, 12));
  }
  static std::vector<float> state(const Problem& problem) {
    return random_values<float>(problem.batch * problem.states * problem.channels, -0.5f, 1.0f, 13);
  }

  static Results expected(const Problem& problem) {
    const Tables tables(problem.channels, problem.states);
    const std::vector<float> in = inputs(problem);
    const std::vector<float> begin = state(problem);
    std::vector<float> out = earlier(problem);
    StateConvolutionArgs<float> args;
    args.in = in.data();
    args.taps = tables.taps.data();
    args.out_table = tables.out_table.data();
    args.in_table = tables.in_table.data();
    args.decay = tables.decay.data();
    args.state_in = problem.has_state_in ? begin.data() : nullptr;
    args.out = out.data();
    args.accumulate = problem.accumulate;
    args.batch = problem.batch;
    args.length = problem.length;
    args.channels = problem.channels;
    args.states = problem.states;
    args.direction = problem.direction;
    const auto result = reference::state_convolution(args);
    return {{result.out.begin(), result.out.end()}, {result.state.begin(), result.state.end()}};
  }

  /// The problem's positions [begin, end) as one call; the state stays on the device.
  struct Call {
    std::int64_t begin;
    std::int64_t end;
    bool has_state_in;
    bool has_state_out;
  };
  static Results run(const Problem& problem, const std::vector<Call>& calls, int threads = 2) {
    test::Machine host = machine(threads);
    const Tables tables(problem.channels, problem.states);
    const Shape shape{problem.batch, problem.length, problem.channels};
    const Tensor in = host.tensor(inputs(problem), shape, dtype());
    const Tensor out = host.tensor(earlier(problem), shape, dtype());
    const Shape state_shape{problem.batch, problem.states, problem.channels};
    const Tensor carried = host.tensor(state(problem), state_shape);
    const std::int64_t panels = convolution_panels(problem.channels);
    const Shape table{panels, convolution_block * problem.states, convolution_panel};
    const Tensor taps = host.tensor(tables.taps, {convolution_block, problem.channels});
    const Tensor out_table = host.tensor(tables.out_table, table);
    const Tensor in_table = host.tensor(tables.in_table, table);
    const Tensor decay =
        host.tensor(tables.decay, {panels, problem.states * problem.states, convolution_panel});
    ops::StateConvolutionTensors tensors;
    tensors.taps = taps;
    tensors.out_table = out_table;
    tensors.in_table = in_table;
    tensors.decay = decay;
    for (const Call& call : calls) {
      const auto part = [&](const Tensor& whole) {
        if (problem.batch > 1) return whole.view();
        const std::int64_t length = call.end - call.begin;
        return whole.view()
            .reshape({problem.length, problem.channels})
            .slice(call.begin, call.end)
            .reshape({1, length, problem.channels});
      };
      tensors.in = part(in);
      tensors.out = part(out);
      tensors.state_in = call.has_state_in ? carried.view() : TensorView();
      tensors.state_out = call.has_state_out ? carried.view() : TensorView();
      ops::state_convolution(host.context, problem.direction, tensors, problem.accumulate);
    }
    return {host.host(out), host.host(carried)};
  }
  static Results run(const Problem& problem, int threads = 2) {
    return run(problem, {{0, problem.length, problem.has_state_in, problem.has_state_out}},
               threads);
  }

  static void expect_agrees(const Problem& problem) {
    const Results wanted = expected(problem);
    const Results found = run(problem);
    EXPECT_LE(test::relative_error<float>(
                  found.out, std::vector<double>(wanted.out.begin(), wanted.out.end())),
              test::tolerance(dtype()));
    if (!problem.has_state_out) return;
    EXPECT_LE(test::relative_error<float>(
                  found.state, std::vector<double>(wanted.state.begin(), wanted.state.end())),
              test::tolerance(Dtype::f32));
  }
};

TEST_P(StateConvolution, AgreesWithReferenceOverShapes) {
  for (const std::int64_t length :
       {1L, convolution_block - 1L, convolution_block + 0L, convolution_block + 1L, tile_length - 1,
        tile_length, 2 * tile_length + 5}) {
    for (const auto& [channels, states] : {std::pair<int, int>{1, 1}, {19, 6}, {40, 32}}) {
      for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
        SCOPED_TRACE(testing::Message()
                     << "length " << length << " channels " << channels << " states " << states);
        Problem problem;
        problem.length = length;
        problem.channels = channels;
        problem.states = states;
        problem.direction = direction;
        // A cut group of positions lets no state through at its open end.
        const bool is_cut = length % convolution_block != 0;
        problem.has_state_in = !is_cut || direction == Direction::left_to_right;
        problem.has_state_out = !is_cut || direction == Direction::right_to_left;
        expect_agrees(problem);
      }
    }
  }
}

TEST_P(StateConvolution, AgreesOnEveryInstructionSet) {
  test::for_each_simd_target([&] {
    Problem problem;
    problem.length = tile_length + 77;
    problem.channels = 21;
    problem.has_state_in = true;
    expect_agrees(problem);
  });
}

TEST_P(StateConvolution, AddsToOut) {
  Problem problem;
  problem.accumulate = true;
  problem.direction = Direction::right_to_left;
  expect_agrees(problem);
}

TEST_P(StateConvolution, ChunkedEqualsWholeBitForBit) {
  for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
    const bool rightwards = direction == Direction::left_to_right;
    Problem problem;
    problem.batch = 1;
    problem.length = 4 * tile_length + 77;
    problem.direction = direction;
    const Results whole = run(problem);
    for (const std::vector<std::int64_t>& cuts :
         {std::vector<std::int64_t>{0, 1, 2, 3, 4}, {0, 2, 4}, {0, 3}, {0, 1}}) {
      std::vector<Call> calls;
      for (std::size_t i = 0; i < cuts.size(); ++i) {
        const bool is_last = i + 1 == cuts.size();
        const std::int64_t end = is_last ? problem.length : cuts[i + 1] * tile_length;
        calls.push_back({cuts[i] * tile_length, end, rightwards ? i > 0 : !is_last,
                         rightwards ? !is_last : i > 0});
      }
      if (!rightwards) calls = {calls.rbegin(), calls.rend()};
      EXPECT_EQ(test::bits(run(problem, calls).out), test::bits(whole.out)) << cuts.size();
    }
  }
}

TEST_P(StateConvolution, ThreadsAndBatchChangeNoBit) {
  Problem problem;
  problem.batch = 3;
  problem.length = tile_length + 40;
  const Results together = run(problem);
  EXPECT_EQ(run(problem, 1).out, together.out);
  // The first sequence alone has the first values of the same random ones.
  problem.batch = 1;
  const Results alone = run(problem);
  EXPECT_TRUE(std::equal(alone.out.begin(), alone.out.end(), together.out.begin()));
}

TEST_P(StateConvolution, ANanStaysInItsChannel) {
  test::Machine host = machine();
  const Problem problem;
  const Tables tables(problem.channels, problem.states);
  const Shape shape{problem.batch, problem.length, problem.channels};
  std::vector<float> values = inputs(problem);
  values[static_cast<std::size_t>(5 * problem.channels + 2)] = NAN;
  const Tensor in = host.tensor(values, shape, dtype());
  const Tensor out(*host.backend, in.view().type(), shape);
  const std::int64_t panels = convolution_panels(problem.channels);
  const Shape table{panels, convolution_block * problem.states, convolution_panel};
  const Tensor taps = host.tensor(tables.taps, {convolution_block, problem.channels});
  const Tensor out_table = host.tensor(tables.out_table, table);
  const Tensor in_table = host.tensor(tables.in_table, table);
  const Tensor decay =
      host.tensor(tables.decay, {panels, problem.states * problem.states, convolution_panel});
  ops::StateConvolutionTensors tensors;
  tensors.taps = taps;
  tensors.out_table = out_table;
  tensors.in_table = in_table;
  tensors.decay = decay;
  tensors.in = in;
  tensors.out = out;
  ops::state_convolution(host.context, Direction::left_to_right, tensors, false);
  const std::vector<float> found = host.host(out);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    const bool is_channel = place % problem.channels == 2;
    const bool is_first = place < problem.length * problem.channels;
    if (!is_channel || !is_first) {
      EXPECT_FALSE(std::isnan(found[i])) << i;
    }
    if (is_channel && is_first && place / problem.channels >= 5) {
      EXPECT_TRUE(std::isnan(found[i])) << i;
    }
  }
}

TEST_P(StateConvolution, LetsNoStateThroughACut) {
  Problem problem;
  problem.length = 2 * convolution_block + 1;
  problem.has_state_out = true;
  test::expect_error<InvalidArgument>([&] { run(problem); }, {"handed on", "tile length"});
  problem.has_state_out = false;
  problem.has_state_in = true;
  problem.direction = Direction::right_to_left;
  test::expect_error<InvalidArgument>([&] { run(problem); }, {"taken into", "tile length"});
}

INSTANTIATE_TEST_SUITE_P(All, StateConvolution,
                         testing::Combine(testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& test) {
                           return std::string(dtype_name(std::get<0>(test.param))) + "_" +
                                  test::device_label(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace ssmgen::kernels
