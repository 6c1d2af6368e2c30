#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <type_traits>
#include <vector>

#include "kernels/cpu/add_layer_norm.hpp"
#include "kernels/cpu/add_rms_norm.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/reference/add_norm.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels::cpu {
namespace {

using reference::Norm;
using test::bits;
using test::expect_close;
using test::random_values;

template <class T, class R, Norm kind>
struct Form {
  using Hidden = T;
  using Residual = R;
  static constexpr Norm norm = kind;
};

template <class F>
struct Problem {
  using T = typename F::Hidden;
  using R = typename F::Residual;

  Problem(std::int64_t rows, std::int64_t channels, std::uint32_t seed = 1)
      : hidden(random_values<T>(rows * channels, -1.0f, 3.0f, seed)),
        residual_in(random_values<R>(rows * channels, -2.0f, 4.0f, seed + 1)),
        residual_out(residual_in.size()),
        out(hidden.size()),
        weight(random_values<float>(channels, 0.5f, 1.5f, seed + 2)),
        bias(random_values<float>(channels, -1.0f, 1.0f, seed + 3)) {
    args.hidden = hidden.data();
    args.residual_in = residual_in.data();
    args.residual_out = residual_out.data();
    args.weight = weight.data();
    args.bias = bias.data();
    args.out = out.data();
    args.rows = rows;
    args.channels = channels;
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  std::vector<T> hidden;
  std::vector<R> residual_in, residual_out;
  std::vector<T> out;
  std::vector<float> weight, bias;
  AddNormArgs<T, R> args;
};

template <class F, class Args>
void normalise(ThreadPool& pool, const Args& args) {
  if constexpr (F::norm == Norm::rms) {
    add_rms_norm(pool, args);
  } else {
    add_layer_norm(pool, args);
  }
}

template <class F>
void expect_agrees(ThreadPool& pool, Problem<F>& problem) {
  const auto expected = reference::add_norm(F::norm, problem.args);
  normalise<F>(pool, problem.args);
  expect_close(problem.out, expected.out);
  if (problem.args.residual_out != nullptr) expect_close(problem.residual_out, expected.residual);
}

template <class F>
class AddNorm : public testing::Test {
 protected:
  ThreadPool pool{2};
};
using Forms =
    testing::Types<Form<float, float, Norm::rms>, Form<bfloat16, bfloat16, Norm::rms>,
                   Form<bfloat16, float, Norm::rms>, Form<float, float, Norm::layer>,
                   Form<bfloat16, bfloat16, Norm::layer>, Form<bfloat16, float, Norm::layer>>;
TYPED_TEST_SUITE(AddNorm, Forms);

TYPED_TEST(AddNorm, AgreesWithReferenceOverShapes) {
  for (const std::int64_t rows : {0, 1, 2, 1023, 1024, 1025}) {
    for (const std::int64_t channels : {1, 3, 33, 64, 128, 200}) {
      for (const bool reverse : {false, true}) {
        SCOPED_TRACE(testing::Message() << rows << " rows of " << channels);
        Problem<TypeParam> problem(rows, channels);
        problem.args.reverse_channels = reverse;
        expect_agrees(this->pool, problem);
      }
    }
  }
}

TYPED_TEST(AddNorm, AgreesOnEveryInstructionSet) {
  test::for_each_simd_target([&] {
    for (const bool reverse : {false, true}) {
      Problem<TypeParam> problem(9, 75);
      problem.args.reverse_channels = reverse;
      expect_agrees(this->pool, problem);
    }
  });
}

TYPED_TEST(AddNorm, EachInputMayBeAbsent) {
  using Args = AddNormArgs<typename TypeParam::Hidden, typename TypeParam::Residual>;
  const std::vector<void (*)(Args&)> removals = {
      [](Args& args) { args.hidden = nullptr; },
      [](Args& args) { args.residual_in = nullptr; },
      [](Args& args) { args.residual_out = nullptr; },
      [](Args& args) { args.bias = nullptr; },
  };
  for (std::size_t i = 0; i < removals.size(); ++i) {
    SCOPED_TRACE(i);
    Problem<TypeParam> problem(40, 33);
    removals[i](problem.args);
    expect_agrees(this->pool, problem);
  }
}

TYPED_TEST(AddNorm, InPlaceGivesTheSameBits) {
  for (const bool reverse : {false, true}) {
    Problem<TypeParam> apart(70, 75);
    Problem<TypeParam> in_place(70, 75);
    apart.args.reverse_channels = in_place.args.reverse_channels = reverse;
    in_place.args.out = in_place.hidden.data();
    in_place.args.residual_out = in_place.residual_in.data();
    normalise<TypeParam>(this->pool, apart.args);
    normalise<TypeParam>(this->pool, in_place.args);
    EXPECT_EQ(bits(in_place.hidden), bits(apart.out));
    EXPECT_EQ(bits(in_place.residual_in), bits(apart.residual_out));
  }
}

TYPED_TEST(AddNorm, ARowDependsOnItselfAlone) {
  Problem<TypeParam> together(300, 75);
  Problem<TypeParam> alone(300, 75);
  normalise<TypeParam>(this->pool, together.args);
  ThreadPool single(1);
  for (std::int64_t row = 0; row < 300; ++row) {
    auto args = alone.args;
    args.hidden += row * 75;
    args.residual_in += row * 75;
    args.residual_out += row * 75;
    args.out += row * 75;
    args.rows = 1;
    normalise<TypeParam>(single, args);
  }
  EXPECT_EQ(bits(alone.out), bits(together.out));
  EXPECT_EQ(bits(alone.residual_out), bits(together.residual_out));
}

// The channel flip is a permutation: flipped inputs without it give the bits of the flip.
TYPED_TEST(AddNorm, ReverseIsTheFlippedInput) {
  Problem<TypeParam> flipped(20, 77);
  Problem<TypeParam> reverse(20, 77);
  reverse.args.reverse_channels = true;
  for (std::int64_t row = 0; row < 20; ++row) {
    std::reverse(flipped.hidden.begin() + row * 77, flipped.hidden.begin() + (row + 1) * 77);
    std::reverse(flipped.residual_in.begin() + row * 77,
                 flipped.residual_in.begin() + (row + 1) * 77);
  }
  normalise<TypeParam>(this->pool, flipped.args);
  normalise<TypeParam>(this->pool, reverse.args);
  EXPECT_EQ(bits(reverse.out), bits(flipped.out));
  EXPECT_EQ(bits(reverse.residual_out), bits(flipped.residual_out));
}

// The two steps of a stream that is stored: the sum first, its norm from where it lies.
TYPED_TEST(AddNorm, TheNormOfAStoredSumIsThatOfTheSum) {
  for (const bool reverse : {false, true}) {
    Problem<TypeParam> at_once(70, 75);
    at_once.args.reverse_channels = reverse;
    normalise<TypeParam>(this->pool, at_once.args);
    Problem<TypeParam> apart(70, 75);
    apart.args.reverse_channels = reverse;
    apart.args.out = nullptr;
    apart.args.residual_out = apart.residual_in.data();
    normalise<TypeParam>(this->pool, apart.args);
    EXPECT_EQ(bits(apart.residual_in), bits(at_once.residual_out));
    apart.args.hidden = nullptr;
    apart.args.residual_out = nullptr;
    apart.args.out = apart.out.data();
    apart.args.reverse_channels = false;
    normalise<TypeParam>(this->pool, apart.args);
    EXPECT_EQ(bits(apart.out), bits(at_once.out));
  }
}

// The norm is of the sum as the residual's type holds it: a sum that bf16 cannot hold.
TEST(AddRmsNorm, NormalisesTheRoundedSum) {
  ThreadPool pool(1);
  const std::vector<bfloat16> hidden = {bfloat16(1.0f), bfloat16(-1.0f)};
  const std::vector<bfloat16> residual = {bfloat16(0x1p-9f), bfloat16(0x1p-9f)};
  std::vector<bfloat16> out(2);
  std::vector<bfloat16> residual_out(2);
  const std::vector<float> weight = {256.0f, 256.0f};
  const std::vector<float> bias = {-256.0f, 256.0f};
  AddNormArgs<bfloat16, bfloat16> args;
  args.hidden = hidden.data();
  args.residual_in = residual.data();
  args.residual_out = residual_out.data();
  args.weight = weight.data();
  args.bias = bias.data();
  args.out = out.data();
  args.rows = 1;
  args.channels = 2;
  args.epsilon = 0.0f;
  add_rms_norm(pool, args);
  EXPECT_EQ(static_cast<float>(residual_out[0]), 1.0f);
  EXPECT_EQ(static_cast<float>(out[0]), 0.0f);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
