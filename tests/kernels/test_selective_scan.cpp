#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <vector>

#include "kernels/cpu/selective_scan.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/reference/selective_scan.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels::cpu {
namespace {

using test::bits;
using test::expect_close;
using test::random_values;
using test::reversed_rows;

struct Shape {
  std::int64_t batch = 2;
  std::int64_t opposite_from = 1;
  std::int64_t length = 130;
  std::int64_t channels = 33;
  std::int64_t states = 16;
  Direction direction = Direction::left_to_right;
  std::int64_t padding = 0;  // elements between rows, and rows between sequences
};

// One problem with everything present; a test takes away what it wants absent.
template <class T>
struct Problem {
  explicit Problem(const Shape& shape, std::uint32_t seed = 1) {
    const std::int64_t row = shape.channels + shape.padding;
    const std::int64_t bc_row = 2 * shape.states + shape.padding;
    const std::int64_t rows = shape.length + shape.padding;
    const std::int64_t dense = shape.batch * shape.length * shape.channels;
    x = random_values<T>(shape.batch * rows * row, -2.0f, 2.0f, seed);
    gate = random_values<T>(shape.batch * rows * row, -4.0f, 4.0f, seed + 1);
    delta = random_values<T>(dense, 0.001f, 0.8f, seed + 2);
    a = random_values<float>(shape.channels * shape.states, -16.0f, -0.01f, seed + 4);
    // Mostly of one sign: a short sum that cancels would measure f32, not the kernel.
    bc = random_values<float>(shape.batch * rows * bc_row, -0.2f, 1.0f, seed + 5);
    d = random_values<float>(shape.channels, -0.2f, 1.0f, seed + 6);
    state_in =
        random_values<float>(shape.batch * shape.channels * shape.states, -0.2f, 1.0f, seed + 7);
    state_out.resize(state_in.size());
    out = random_values<T>(dense, -1.0f, 1.0f, seed + 8);
    args.x_row_stride = args.gate_row_stride = row;
    args.x_batch_stride = args.gate_batch_stride = rows * row;
    args.bc_row_stride = bc_row;
    args.bc_batch_stride = rows * bc_row;
    args.x = x.data();
    args.gate = gate.data();
    args.delta = delta.data();
    args.a = a.data();
    args.b = bc.data();
    args.c = bc.data() + shape.states;
    args.d = d.data();
    args.state_in = state_in.data();
    args.state_out = state_out.data();
    args.out = out.data();
    args.batch = shape.batch;
    args.opposite_from = shape.opposite_from;
    args.length = shape.length;
    args.channels = shape.channels;
    args.states = shape.states;
    args.direction = shape.direction;
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  std::vector<T> x, gate, delta, out;
  std::vector<float> a, bc, d, state_in, state_out;
  SelectiveScanArgs<T> args;
};

template <class T>
void expect_agrees(ThreadPool& pool, Problem<T>& problem) {
  const auto expected = reference::selective_scan(problem.args);
  selective_scan(pool, problem.args);
  expect_close(problem.out, expected.out);
  if (problem.args.state_out != nullptr) expect_close(problem.state_out, expected.state);
}

template <class T>
class SelectiveScan : public testing::Test {
 protected:
  ThreadPool pool{2};
};
using StorageTypes = testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(SelectiveScan, StorageTypes);

TYPED_TEST(SelectiveScan, AgreesWithReferenceOverShapes) {
  for (const std::int64_t length :
       {std::int64_t{1}, std::int64_t{2}, tile_length - 1, tile_length, tile_length + 1}) {
    for (const std::int64_t channels : {1, 3, 33, 64}) {
      for (const std::int64_t states : {1, 5, 8, 16}) {
        for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
          SCOPED_TRACE(testing::Message()
                       << "length " << length << " channels " << channels << " states " << states);
          Problem<TypeParam> problem(
              {.length = length, .channels = channels, .states = states, .direction = direction});
          expect_agrees(this->pool, problem);
        }
      }
    }
  }
}

TYPED_TEST(SelectiveScan, AgreesOnEveryInstructionSet) {
  test::for_each_simd_target([&] {
    for (const std::int64_t states : {3, 16, 256}) {
      Problem<TypeParam> problem({.length = 150, .channels = 37, .states = states, .padding = 5});
      expect_agrees(this->pool, problem);
    }
  });
}

TYPED_TEST(SelectiveScan, EachInputMayBeAbsent) {
  using Args = SelectiveScanArgs<TypeParam>;
  const std::vector<void (*)(Args&)> removals = {
      [](Args& args) { args.gate = nullptr; },
      [](Args& args) { args.d = nullptr; },
      [](Args& args) { args.state_in = nullptr; },
      [](Args& args) { args.state_out = nullptr; },
  };
  for (std::size_t i = 0; i < removals.size(); ++i) {
    SCOPED_TRACE(i);
    Problem<TypeParam> problem({});
    removals[i](problem.args);
    expect_agrees(this->pool, problem);
  }
}

TYPED_TEST(SelectiveScan, AddsToOutThenGates) {
  Problem<TypeParam> problem({});
  problem.args.accumulate = true;
  expect_agrees(this->pool, problem);
  Problem<TypeParam> without_gate({});
  without_gate.args.accumulate = true;
  without_gate.args.gate = nullptr;
  expect_agrees(this->pool, without_gate);
}

TYPED_TEST(SelectiveScan, SequencesFromOppositeFromTurn) {
  for (const std::int64_t opposite_from : {0, 2, 5}) {
    Problem<TypeParam> problem({.batch = 5, .opposite_from = opposite_from, .padding = 7});
    expect_agrees(this->pool, problem);
  }
}

TYPED_TEST(SelectiveScan, LengthZeroKeepsTheState) {
  Problem<TypeParam> problem({.length = 0});
  selective_scan(this->pool, problem.args);
  EXPECT_EQ(bits(problem.state_out), bits(problem.state_in));
}

// The positions [begin, end) of a problem as a call of its own.
template <class T>
SelectiveScanArgs<T> part(const Problem<T>& problem, std::int64_t begin, std::int64_t end) {
  SelectiveScanArgs<T> args = problem.args;
  args.x += begin * args.x_row_stride;
  args.gate += begin * args.gate_row_stride;
  args.delta += begin * args.channels;
  args.b += begin * args.bc_row_stride;
  args.c += begin * args.bc_row_stride;
  args.out += begin * args.channels;
  args.length = end - begin;
  return args;
}

TYPED_TEST(SelectiveScan, ChunkedEqualsWholeBitForBit) {
  for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
    Shape shape{.batch = 1, .opposite_from = 1, .length = 3 * tile_length + 77, .channels = 19};
    shape.direction = direction;
    Problem<TypeParam> whole(shape);
    Problem<TypeParam> chunked(shape);
    selective_scan(this->pool, whole.args);
    std::vector<std::int64_t> cuts = {0, tile_length, 3 * tile_length, shape.length};
    std::vector<float> state = chunked.state_in;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const std::size_t chunk = direction == Direction::left_to_right ? i : cuts.size() - 2 - i;
      SelectiveScanArgs<TypeParam> args = part(chunked, cuts[chunk], cuts[chunk + 1]);
      args.state_in = state.data();  // in place
      args.state_out = state.data();
      selective_scan(this->pool, args);
    }
    EXPECT_EQ(bits(chunked.out), bits(whole.out));
    EXPECT_EQ(bits(state), bits(whole.state_out));
  }
}

TYPED_TEST(SelectiveScan, ThreadsDoNotChangeABit) {
  Problem<TypeParam> one({.batch = 3, .channels = 100});
  Problem<TypeParam> two({.batch = 3, .channels = 100});
  ThreadPool single(1);
  selective_scan(single, one.args);
  selective_scan(this->pool, two.args);
  EXPECT_EQ(bits(one.out), bits(two.out));
  EXPECT_EQ(bits(one.state_out), bits(two.state_out));
}

TYPED_TEST(SelectiveScan, BatchDoesNotChangeABit) {
  Problem<TypeParam> together({.batch = 4, .opposite_from = 4});
  Problem<TypeParam> alone({.batch = 4, .opposite_from = 4});
  selective_scan(this->pool, together.args);
  for (std::int64_t sequence = 0; sequence < 4; ++sequence) {
    SelectiveScanArgs<TypeParam> args = alone.args;
    args.x += sequence * args.x_batch_stride;
    args.gate += sequence * args.gate_batch_stride;
    args.delta += sequence * args.length * args.channels;
    args.b += sequence * args.bc_batch_stride;
    args.c += sequence * args.bc_batch_stride;
    args.out += sequence * args.length * args.channels;
    args.state_in += sequence * args.channels * args.states;
    args.state_out += sequence * args.channels * args.states;
    args.batch = args.opposite_from = 1;
    selective_scan(this->pool, args);
  }
  EXPECT_EQ(bits(alone.out), bits(together.out));
  EXPECT_EQ(bits(alone.state_out), bits(together.state_out));
}

// Where a vector of channels begins and ends does not change a channel: the last 21 of 33 channels
// as a call of their own.
TYPED_TEST(SelectiveScan, PlaceInTheVectorDoesNotChangeABit) {
  const std::int64_t skipped = 12;
  Problem<TypeParam> whole({.batch = 1, .opposite_from = 1, .channels = 33});
  Problem<TypeParam> cut({.batch = 1, .opposite_from = 1, .channels = 33});
  selective_scan(this->pool, whole.args);
  SelectiveScanArgs<TypeParam> args = cut.args;
  args.channels -= skipped;
  args.x += skipped;
  args.gate += skipped;
  args.a += skipped * args.states;
  args.d += skipped;
  args.state_in += skipped * args.states;
  std::vector<TypeParam> delta;
  std::vector<TypeParam> expected;
  for (std::int64_t t = 0; t < args.length; ++t) {
    for (std::int64_t c = skipped; c < 33; ++c) {
      delta.push_back(whole.delta[t * 33 + c]);
      expected.push_back(whole.out[t * 33 + c]);
    }
  }
  std::vector<TypeParam> out(expected.size());
  args.delta = delta.data();
  args.out = out.data();
  selective_scan(this->pool, args);
  EXPECT_EQ(bits(out), bits(expected));
}

TYPED_TEST(SelectiveScan, DirectionsAgreeUnderTimeReversal) {
  Shape shape{.batch = 1, .opposite_from = 1, .length = tile_length + 3, .channels = 17};
  Problem<TypeParam> left(shape);
  shape.direction = Direction::right_to_left;
  Problem<TypeParam> right(shape);
  right.x = reversed_rows(left.x, shape.channels);
  right.gate = reversed_rows(left.gate, shape.channels);
  right.delta = reversed_rows(left.delta, shape.channels);
  right.bc = reversed_rows(left.bc, 2 * shape.states);
  right.args.x = right.x.data();
  right.args.gate = right.gate.data();
  right.args.delta = right.delta.data();
  right.args.b = right.bc.data();
  right.args.c = right.bc.data() + shape.states;
  selective_scan(this->pool, left.args);
  selective_scan(this->pool, right.args);
  EXPECT_EQ(bits(reversed_rows(right.out, shape.channels)), bits(left.out));
  EXPECT_EQ(bits(right.state_out), bits(left.state_out));
}

// 2^(delta * A) reaches zero and must forget the state without a NaN, whatever the magnitudes.
TYPED_TEST(SelectiveScan, ExtremeStepsForgetTheState) {
  test::for_each_simd_target([&] {
    Problem<TypeParam> problem({.batch = 1, .opposite_from = 1, .length = 3, .channels = 5});
    std::fill(problem.a.begin(), problem.a.end(), -1e8f);
    std::fill(problem.delta.begin(), problem.delta.end(), TypeParam(0.0f));
    std::fill(problem.delta.begin() + 5, problem.delta.begin() + 10, TypeParam(1e22f));
    selective_scan(this->pool, problem.args);
    for (const float value : problem.state_out) EXPECT_TRUE(std::isfinite(value));
    for (const TypeParam value : problem.out) {
      EXPECT_TRUE(std::isfinite(static_cast<float>(value)));
    }
    const auto expected = reference::selective_scan(problem.args);
    expect_close(problem.out, expected.out);
  });
}

TYPED_TEST(SelectiveScan, NanInGivesNanOutInItsChannelAlone) {
  Problem<TypeParam> problem({.batch = 1, .opposite_from = 1, .length = 4, .channels = 5});
  problem.delta[5 + 2] = TypeParam(NAN);  // position 1, channel 2
  selective_scan(this->pool, problem.args);
  for (std::int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(std::isnan(static_cast<float>(problem.out[i])), i % 5 == 2 && i >= 5) << i;
  }
}

TYPED_TEST(SelectiveScan, RefusesMoreStatesThanItHolds) {
  for (const std::int64_t states : {0, 257}) {
    Problem<TypeParam> problem({.states = states});
    test::expect_error<InvalidArgument>([&] { selective_scan(this->pool, problem.args); },
                                        {"states", "1 to 256", std::to_string(states)});
  }
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
