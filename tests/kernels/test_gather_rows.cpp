#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/cpu/gather_rows.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels::cpu {
namespace {

template <class T>
void check_gather() {
  ThreadPool pool(2);
  constexpr std::int64_t in_rows = 101;
  for (const std::int64_t channels : {1, 5, 64, 129, 20000}) {
    for (const std::int64_t padding : {0, 3}) {
      const std::int64_t stride = channels + padding;
      const auto in = test::random_values<T>(in_rows * stride, -2.0f, 2.0f, 3);
      for (const std::int64_t rows : {0, 1, 2, 100, 250}) {
        std::vector<std::int64_t> index;
        for (std::int64_t i = 0; i < rows; ++i) index.push_back((i * 37 + 100) % in_rows);
        std::vector<T> out(static_cast<std::size_t>(rows * channels));
        GatherRowsArgs<T> args;
        args.in = in.data();
        args.in_row_stride = stride;
        args.row_index = index.data();
        args.out = out.data();
        args.rows = rows;
        args.channels = channels;
        gather_rows(pool, args);
        std::vector<T> expected;
        for (const std::int64_t row : index) {
          const auto first = in.begin() + row * stride;
          expected.insert(expected.end(), first, first + channels);
        }
        EXPECT_EQ(test::bits(out), test::bits(expected)) << rows << " x " << channels;
      }
    }
  }
}

TEST(GatherRows, CopiesTheNamedRowsF32) {
  check_gather<float>();
}
TEST(GatherRows, CopiesTheNamedRowsBf16) {
  check_gather<bfloat16>();
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
