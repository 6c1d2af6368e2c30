#include <gtest/gtest.h>
#include <vector>

#include "core/backend_loader.hpp"
#include "core/tensor.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::core {
namespace {

TEST(Shape, CountsAndPrints) {
  EXPECT_EQ((Shape{2, 3, 4}).count(), 24);
  EXPECT_EQ((Shape{5, 0}).count(), 0);
  EXPECT_EQ(to_string(Shape{2, 512, 128}), "(2, 512, 128)");
  EXPECT_EQ((Shape{std::int64_t{1} << 20, std::int64_t{1} << 20}).count(), std::int64_t{1} << 40);
  test::expect_error<InvalidArgument>([] { Shape{2, -1}; }, {"(2, -1)"});
  test::expect_error<InvalidArgument>([] { Shape{1, 2, 3, 4}; }, {"at most 3"});
}

TEST(TensorView, SlicesAndChannelsPointIntoTheSameMemory) {
  std::vector<float> values(24);
  const TensorView view(values.data(), ElementType::f32, {2, 3, 4});
  EXPECT_TRUE(view.is_dense());
  EXPECT_EQ(view.slice(1, 2).as<float>(), values.data() + 12);
  const TensorView part = view.channels(1, 3);
  EXPECT_EQ(part.shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(part.as<float>(), values.data() + 1);
  EXPECT_EQ(part.stride(1), 4);
  EXPECT_FALSE(part.is_dense());
  EXPECT_EQ(view.reshape({6, 4}).shape(), (Shape{6, 4}));
  test::expect_error<InvalidArgument>([&] { part.reshape({12}); }, {"strided", "(12)"});
  test::expect_error<InvalidArgument>([&] { view.reshape({5, 5}); }, {"(5, 5)"});
  test::expect_error<InvalidArgument>([&] { view.slice(1, 3); }, {"[1, 3)"});
  test::expect_error<InvalidArgument>([&] { view.channels(-1, 2); }, {"[-1, 2)"});
}

TEST(Tensor, UploadAndDownloadAgree) {
  const auto backend = open_backend({}, 1);
  const std::vector<float> values{1.0f, -2.5f, 0.0f, 3.14159265f};
  std::vector<float> back(4);
  download(*backend, nullptr, upload(*backend, values, Dtype::f32, {2, 2}), back);
  EXPECT_EQ(back, values);
  download(*backend, nullptr, upload(*backend, values, Dtype::bf16, {2, 2}), back);
  EXPECT_EQ(back[1], -2.5f);
  EXPECT_NEAR(back[3], 3.14159265f, 3.15f / 256);
  EXPECT_NE(back[3], values[3]);
  test::expect_error<InvalidArgument>([&] { upload(*backend, values, Dtype::f32, {3}); },
                                      {"4 values", "(3)"});
}

}  // namespace
}  // namespace ssmgen::core
