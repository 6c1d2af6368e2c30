#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/cpu/base_log_softmax.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/reference/base_log_softmax.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels::cpu {
namespace {

std::vector<float> run(BaseLogSoftmaxArgs& args, int threads) {
  ThreadPool pool(threads);
  std::vector<float> out(static_cast<std::size_t>(args.rows * 4));
  args.out = out.data();
  base_log_softmax(pool, args);
  return out;
}

TEST(BaseLogSoftmax, MatchesTheReference) {
  for (const float range : {0.01f, 3.0f, 50.0f, 1e4f}) {
    for (const std::int64_t vocabulary : {4, 8, 16}) {
      for (const std::int64_t rows : {0, 1, 2, 255, 256, 257, 3001}) {
        const auto logits = test::random_values<float>(rows * vocabulary, -range, range, 5);
        BaseLogSoftmaxArgs args;
        args.logits = logits.data();
        args.base_ids = {3, 0, 2, 1};
        args.rows = rows;
        args.vocabulary = vocabulary;
        const auto out = run(args, 1);
        test::expect_close(out, reference::base_log_softmax(args));
        EXPECT_EQ(test::bits(out), test::bits(run(args, 3)));
      }
    }
  }
}

TEST(BaseLogSoftmax, ReadsTheFourBasesAlone) {
  std::vector<float> logits(16, 1e30f);
  for (const std::size_t base : {7, 8, 9, 10}) logits[base] = 2.0f;
  BaseLogSoftmaxArgs args;
  args.logits = logits.data();
  args.base_ids = {7, 8, 9, 10};
  args.rows = 1;
  args.vocabulary = 16;
  for (const float value : run(args, 1)) EXPECT_FLOAT_EQ(value, std::log(0.25f));
}

TEST(BaseLogSoftmax, KeepsNaN) {
  const std::vector<float> logits = {0.0f, NAN, 1.0f, 2.0f};
  BaseLogSoftmaxArgs args;
  args.logits = logits.data();
  args.base_ids = {0, 1, 2, 3};
  args.rows = 1;
  args.vocabulary = 4;
  for (const float value : run(args, 1)) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
