#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/cpu/token_embedding.hpp"
#include "tests/reference/token_embedding.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels::cpu {
namespace {

constexpr std::int64_t vocabulary = 12;

template <class T>
void check_exact(bool with_map) {
  const std::vector<std::int32_t> map = {0, 1, 2, 3, 4, 5, 6, 10, 9, 8, 7, 11};
  ThreadPool pool(2);
  for (const std::int64_t channels : {1, 3, 16, 33, 128, 20000}) {
    const auto weight = test::random_values<T>(vocabulary * channels, -2.0f, 2.0f, 7);
    for (const std::int64_t rows : {0, 1, 2, 127, 128, 129, 1000}) {
      if (rows * channels > 4000000) continue;
      std::vector<std::int32_t> ids;
      for (std::int64_t i = 0; i < rows; ++i) {
        ids.push_back(static_cast<std::int32_t>(i * i % vocabulary));
      }
      const T untouched(-77.0f);
      std::vector<T> out(static_cast<std::size_t>(rows * channels + 1), untouched);
      TokenEmbeddingArgs<T> args;
      args.ids = ids.data();
      args.id_map = with_map ? map.data() : nullptr;
      args.weight = weight.data();
      args.out = out.data();
      args.rows = rows;
      args.channels = channels;
      token_embedding(pool, args);
      EXPECT_EQ(static_cast<float>(out.back()), -77.0f) << "wrote past the end";
      out.pop_back();
      // A copy is exact, so the f64 reference must be met to the last bit.
      std::vector<double> got;
      for (const T value : out) got.push_back(static_cast<float>(value));
      EXPECT_EQ(got, reference::token_embedding(args)) << rows << " x " << channels;
    }
  }
}

TEST(TokenEmbedding, CopiesRowsF32) {
  check_exact<float>(false);
}
TEST(TokenEmbedding, CopiesRowsBf16) {
  check_exact<bfloat16>(false);
}
TEST(TokenEmbedding, MapsIdsF32) {
  check_exact<float>(true);
}
TEST(TokenEmbedding, MapsIdsBf16) {
  check_exact<bfloat16>(true);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
