#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

#include "kernels/cpu/place_rows.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels::cpu {
namespace {

// What lies between the rows must stay.
template <class T>
void check_place(std::int64_t rows, std::int64_t channels, bool reversed, bool adds) {
  ThreadPool pool(2);
  const std::int64_t in_stride = channels + 3;
  const std::int64_t out_stride = 2 * channels + 1;
  const auto in = test::random_values<T>(rows * in_stride, -2.0f, 2.0f, 3);
  const auto residual = test::random_values<float>(rows * channels, -2.0f, 2.0f, 4);
  std::vector<float> out(static_cast<std::size_t>(rows * out_stride + channels), 7.0f);
  std::vector<float> expected = out;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto to = expected.begin() + row * out_stride + channels;
    for (std::int64_t i = 0; i < channels; ++i) {
      const float value = static_cast<float>(in[static_cast<std::size_t>(row * in_stride + i)]);
      const float more = residual[static_cast<std::size_t>(row * channels + i)];
      to[reversed ? channels - 1 - i : i] = adds ? value + more : value;
    }
  }
  PlaceRowsArgs<T> args;
  args.in = in.data();
  args.in_row_stride = in_stride;
  args.residual = adds ? residual.data() : nullptr;
  args.residual_row_stride = channels;
  args.out = out.data() + channels;
  args.out_row_stride = out_stride;
  args.rows = rows;
  args.channels = channels;
  args.reversed = reversed;
  place_rows(pool, args);
  EXPECT_EQ(test::bits(out), test::bits(expected)) << rows << " x " << channels;
}

template <class T>
void check_shapes() {
  for (const std::int64_t channels : {1, 5, 64, 129, 20000}) {
    for (const std::int64_t rows : {0, 1, 2, 250}) {
      for (const bool reversed : {false, true}) {
        for (const bool adds : {false, true}) check_place<T>(rows, channels, reversed, adds);
      }
    }
  }
}

TEST(PlaceRows, WritesItsChannelsAndNothingElseF32) {
  check_shapes<float>();
}
TEST(PlaceRows, WritesItsChannelsAndNothingElseBf16) {
  check_shapes<bfloat16>();
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
