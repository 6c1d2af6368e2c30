#include <cstdint>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <vector>

#include "kernels/cpu/lm_head.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/reference/lm_head.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/simd_targets.hpp"

namespace ssmgen::kernels::cpu {
namespace {

template <class T>
struct Problem {
  Problem(std::int64_t rows, std::int64_t channels, std::int64_t vocabulary, bool two_strands)
      : plus(test::random_values<T>(rows * channels, -0.3f, 1.0f, 1)),
        minus(test::random_values<T>(rows * channels, -0.3f, 1.0f, 2)),
        weight(test::random_values<float>(vocabulary * channels, -0.2f, 1.0f, 3)),
        logits(static_cast<std::size_t>(rows * vocabulary)) {
    for (std::int64_t v = 0; v < vocabulary; ++v) {  // an involution with a fixed point when odd
      complement.push_back(static_cast<std::int32_t>(vocabulary - 1 - v));
    }
    args.plus = plus.data();
    args.minus = two_strands ? minus.data() : nullptr;
    args.weight = weight.data();
    args.complement = two_strands ? complement.data() : nullptr;
    args.logits = logits.data();
    args.rows = rows;
    args.channels = channels;
    args.vocabulary = vocabulary;
  }

  const std::vector<float>& run(int threads = 1) {
    ThreadPool pool(threads);
    lm_head(pool, args);
    return logits;
  }

  std::vector<T> plus;
  std::vector<T> minus;
  std::vector<float> weight;
  std::vector<std::int32_t> complement;
  std::vector<float> logits;
  LmHeadArgs<T> args;
};

template <class T>
void check_reference() {
  for (const bool two_strands : {false, true}) {
    for (const std::int64_t rows : {1, 2, 3, 4, 5, 63, 64, 65}) {
      for (const std::int64_t channels : {1, 15, 16, 17, 33, 128}) {
        for (const std::int64_t vocabulary : {1, 3, 4, 8, 14, 16}) {
          Problem<T> problem(rows, channels, vocabulary, two_strands);
          // The sums are f32 whatever the storage type.
          test::expect_close(problem.run(), reference::lm_head(problem.args));
        }
      }
    }
  }
}

TEST(LmHead, MatchesTheReferenceF32) {
  test::for_each_simd_target(check_reference<float>);
}
TEST(LmHead, MatchesTheReferenceBf16) {
  test::for_each_simd_target(check_reference<bfloat16>);
}

TEST(LmHead, MatchesTheReferenceWithAVocabularyOfWords) {
  Problem<float> problem(67, 40, 2053, false);
  test::expect_close(problem.run(2), reference::lm_head(problem.args));
}

template <class T>
void check_rows_alone() {
  for (const bool two_strands : {false, true}) {
    for (const std::int64_t vocabulary : {16, 1030}) {
      constexpr std::int64_t rows = 71;
      constexpr std::int64_t channels = 37;
      Problem<T> all(rows, channels, vocabulary, two_strands);
      const auto expected = test::bits(all.run());
      EXPECT_EQ(test::bits(all.run(3)), expected);
      for (const std::int64_t row : {0, 1, 6, 63, 64, 70}) {
        std::vector<float> alone(static_cast<std::size_t>(vocabulary));
        LmHeadArgs<T> args = all.args;
        args.plus += row * channels;
        if (two_strands) args.minus += row * channels;
        args.logits = alone.data();
        args.rows = 1;
        ThreadPool pool(1);
        lm_head(pool, args);
        const auto first = expected.begin() + row * vocabulary;
        EXPECT_EQ(test::bits(alone), std::vector<std::uint32_t>(first, first + vocabulary)) << row;
      }
    }
  }
}

TEST(LmHead, ARowDependsOnThatRowAlone) {
  test::for_each_simd_target(check_rows_alone<float>);
  test::for_each_simd_target(check_rows_alone<bfloat16>);
}

TEST(LmHead, ExchangedStrandsExchangeComplements) {
  constexpr std::int64_t rows = 9;
  constexpr std::int64_t vocabulary = 16;
  Problem<float> problem(rows, 50, vocabulary, true);
  const std::vector<float> one_way = problem.run();
  std::swap(problem.args.plus, problem.args.minus);
  const std::vector<float> other_way = problem.run();
  std::vector<float> complemented;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const std::int32_t other : problem.complement) {
      complemented.push_back(other_way[static_cast<std::size_t>(row * vocabulary + other)]);
    }
  }
  EXPECT_EQ(test::bits(complemented), test::bits(one_way));
}

TEST(LmHead, RefusesTwoStrandsWithoutComplement) {
  Problem<float> problem(2, 8, 4, true);
  problem.args.complement = nullptr;
  test::expect_error<InvalidArgument>([&] { problem.run(); }, {"lm_head", "complement"});
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
