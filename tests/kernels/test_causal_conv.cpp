#include <cstdint>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <string>
#include <vector>

#include "kernels/cpu/causal_conv.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/reference/causal_conv.hpp"
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
  std::int64_t width = 4;
  Direction direction = Direction::left_to_right;
  std::int64_t padding = 0;  // elements between rows, and rows between sequences
};

template <class T>
struct Problem {
  explicit Problem(const Shape& shape, std::uint32_t seed = 1) {
    const std::int64_t row = shape.channels + shape.padding;
    const std::int64_t rows = shape.length + shape.padding;
    const std::int64_t carried = shape.batch * (shape.width - 1) * shape.channels;
    in = random_values<T>(shape.batch * rows * row, -2.0f, 2.0f, seed);
    weight = random_values<float>(shape.channels * shape.width, -0.2f, 1.0f, seed + 1);
    bias = random_values<float>(shape.channels, -0.2f, 1.0f, seed + 2);
    // What a sweep could have carried: values of the storage type.
    for (const T value : random_values<T>(carried, -2.0f, 2.0f, seed + 3)) {
      carry_in.push_back(static_cast<float>(value));
    }
    carry_out.resize(carry_in.size());
    out.resize(static_cast<std::size_t>(shape.batch * shape.length * shape.channels));
    args.in = in.data();
    args.in_row_stride = row;
    args.in_batch_stride = rows * row;
    args.weight = weight.data();
    args.bias = bias.data();
    args.carry_in = carry_in.data();
    args.carry_out = carry_out.data();
    args.out = out.data();
    args.batch = shape.batch;
    args.opposite_from = shape.opposite_from;
    args.length = shape.length;
    args.channels = shape.channels;
    args.width = shape.width;
    args.direction = shape.direction;
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  std::vector<T> in, out;
  std::vector<float> weight, bias, carry_in, carry_out;
  CausalConvArgs<T> args;
};

template <class T>
void expect_agrees(ThreadPool& pool, Problem<T>& problem) {
  const auto expected = reference::causal_conv(problem.args);
  causal_conv(pool, problem.args);
  expect_close(problem.out, expected.out);
  if (problem.args.carry_out == nullptr) return;
  ASSERT_EQ(problem.carry_out.size(), expected.carry.size());
  for (std::size_t i = 0; i < expected.carry.size(); ++i) {
    ASSERT_EQ(problem.carry_out[i], expected.carry[i]) << i;
  }
}

template <class T>
class CausalConv : public testing::Test {
 protected:
  ThreadPool pool{2};
};
using StorageTypes = testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(CausalConv, StorageTypes);

TYPED_TEST(CausalConv, AgreesWithReferenceOverShapes) {
  for (const std::int64_t length :
       {std::int64_t{1}, std::int64_t{2}, tile_length - 1, tile_length, tile_length + 1}) {
    for (const std::int64_t channels : {1, 3, 33, 64}) {
      for (const std::int64_t width : {1, 2, 4, 16}) {
        for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
          SCOPED_TRACE(testing::Message()
                       << "length " << length << " channels " << channels << " width " << width);
          Problem<TypeParam> problem(
              {.length = length, .channels = channels, .width = width, .direction = direction});
          expect_agrees(this->pool, problem);
        }
      }
    }
  }
}

TYPED_TEST(CausalConv, AgreesOnEveryInstructionSet) {
  test::for_each_simd_target([&] {
    for (const std::int64_t width : {3, 4}) {
      Problem<TypeParam> problem({.channels = 37, .width = width, .padding = 5});
      expect_agrees(this->pool, problem);
    }
  });
}

TYPED_TEST(CausalConv, EachInputMayBeAbsent) {
  using Args = CausalConvArgs<TypeParam>;
  const std::vector<void (*)(Args&)> removals = {
      [](Args& args) { args.bias = nullptr; },
      [](Args& args) { args.carry_in = nullptr; },
      [](Args& args) { args.carry_out = nullptr; },
  };
  for (std::size_t i = 0; i < removals.size(); ++i) {
    SCOPED_TRACE(i);
    Problem<TypeParam> problem({});
    removals[i](problem.args);
    expect_agrees(this->pool, problem);
  }
}

TYPED_TEST(CausalConv, SequencesFromOppositeFromTurn) {
  for (const std::int64_t opposite_from : {0, 2, 5}) {
    Problem<TypeParam> problem({.batch = 5, .opposite_from = opposite_from, .padding = 7});
    expect_agrees(this->pool, problem);
  }
}

// A sequence shorter than the carry keeps the youngest of what came in, also in place.
TYPED_TEST(CausalConv, CarryInPlaceOfShortSequences) {
  for (const std::int64_t length : {0, 1, 2, 5}) {
    Problem<TypeParam> problem({.length = length, .width = 7});
    const auto expected = reference::causal_conv(problem.args);
    problem.args.carry_out = problem.carry_in.data();
    causal_conv(this->pool, problem.args);
    for (std::size_t i = 0; i < expected.carry.size(); ++i) {
      ASSERT_EQ(problem.carry_in[i], expected.carry[i]) << "length " << length << " at " << i;
    }
    if (length > 0) expect_close(problem.out, expected.out);
  }
}

TYPED_TEST(CausalConv, ChunkedEqualsWholeBitForBit) {
  for (const Direction direction : {Direction::left_to_right, Direction::right_to_left}) {
    Shape shape{.batch = 1, .opposite_from = 1, .length = 2 * tile_length + 77, .channels = 19};
    shape.direction = direction;
    Problem<TypeParam> whole(shape);
    Problem<TypeParam> chunked(shape);
    causal_conv(this->pool, whole.args);
    const std::vector<std::int64_t> cuts = {0, tile_length, 2 * tile_length, shape.length};
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const std::size_t chunk = direction == Direction::left_to_right ? i : cuts.size() - 2 - i;
      CausalConvArgs<TypeParam> args = chunked.args;
      args.in += cuts[chunk] * args.in_row_stride;
      args.out += cuts[chunk] * args.channels;
      args.length = cuts[chunk + 1] - cuts[chunk];
      args.carry_out = chunked.carry_in.data();  // in place
      causal_conv(this->pool, args);
    }
    EXPECT_EQ(bits(chunked.out), bits(whole.out));
    EXPECT_EQ(bits(chunked.carry_in), bits(whole.carry_out));
  }
}

TYPED_TEST(CausalConv, ThreadsAndBatchDoNotChangeABit) {
  Problem<TypeParam> together({.batch = 3, .opposite_from = 3, .channels = 100});
  Problem<TypeParam> alone({.batch = 3, .opposite_from = 3, .channels = 100});
  causal_conv(this->pool, together.args);
  ThreadPool single(1);
  for (std::int64_t sequence = 0; sequence < 3; ++sequence) {
    CausalConvArgs<TypeParam> args = alone.args;
    args.in += sequence * args.in_batch_stride;
    args.out += sequence * args.length * args.channels;
    args.carry_in += sequence * 3 * args.channels;
    args.carry_out += sequence * 3 * args.channels;
    args.batch = args.opposite_from = 1;
    causal_conv(single, args);
  }
  EXPECT_EQ(bits(alone.out), bits(together.out));
  EXPECT_EQ(bits(alone.carry_out), bits(together.carry_out));
}

TYPED_TEST(CausalConv, DirectionsAgreeUnderTimeReversal) {
  Shape shape{.batch = 1, .opposite_from = 1, .length = 131, .channels = 17};
  Problem<TypeParam> left(shape);
  shape.direction = Direction::right_to_left;
  Problem<TypeParam> right(shape);
  right.in = reversed_rows(left.in, shape.channels);
  right.args.in = right.in.data();
  causal_conv(this->pool, left.args);
  causal_conv(this->pool, right.args);
  EXPECT_EQ(bits(reversed_rows(right.out, shape.channels)), bits(left.out));
  EXPECT_EQ(bits(right.carry_out), bits(left.carry_out));
}

TYPED_TEST(CausalConv, RefusesAWidthItDoesNotHave) {
  for (const std::int64_t width : {0, 17}) {
    Problem<TypeParam> problem({});
    problem.args.width = width;
    test::expect_error<InvalidArgument>([&] { causal_conv(this->pool, problem.args); },
                                        {"width", "1 to 16", std::to_string(width)});
  }
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
