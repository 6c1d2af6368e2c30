// What ops refuse; that they compute is shown by the kernels' tests and the goldens.
#include <gtest/gtest.h>

#include "core/backend_loader.hpp"
#include "ops/ops.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::ops {
namespace {

using core::ElementType;
using core::TensorView;

class Ops : public testing::Test {
 protected:
  TensorView take(const core::Shape& shape, ElementType type = ElementType::f32) {
    const TensorView view = context.workspace().take(type, shape);
    context.backend().fill_zero(nullptr, view.data(), view.bytes());
    return view;
  }

  std::shared_ptr<kernels::Backend> backend = core::open_backend({}, 1);
  core::Context context{*backend};
};

TEST_F(Ops, NameTheTensorAndBothShapes) {
  NormParameters norm;
  norm.weight = take({8});
  test::expect_error<InvalidArgument>(
      [&] {
        add_norm(context, norm, take({4, 8}), {}, {}, take({4, 7}), false);
      },
      {"add_norm", "out", "(4, 8)", "(4, 7)"});
  test::expect_error<InvalidArgument>(
      [&] {
        add_norm(context, norm, take({4, 8}), take({3, 8}), {}, take({4, 8}), false);
      },
      {"residual", "(4, 8)", "(3, 8)"});
  const TensorView rows = take({4, 8});
  for (const auto& [in, out] : {std::pair(TensorView(), rows), {rows, TensorView()}}) {
    test::expect_error<InvalidArgument>(
        [&, in = in, out = out] { add_norm(context, norm, in, {}, {}, out, false); },
        {"add_norm", "read", "write"});
  }
  test::expect_error<InvalidArgument>(
      [&] {
        causal_conv(context, {}, take({1, 4, 8}), take({7, 4}), {}, {}, {}, take({1, 4, 8}));
      },
      {"causal_conv", "weight", "(8, 4)", "(7, 4)"});
  test::expect_error<InvalidArgument>([&] { multiply(context, take({4}), take({5}), take({4})); },
                                      {"multiply", "(5)"});
  test::expect_error<InvalidArgument>(
      [&] {
        lm_head(context, take({2, 8}), take({2, 8}), take({16, 8}), {}, take({2, 16}));
      },
      {"complement", "(16)"});
  test::expect_error<InvalidArgument>(
      [&] {
        gather_rows(context, take({9, 8}), take({2}), take({2, 8}));
      },
      {"row_index"});
  test::expect_error<InvalidArgument>(
      [&] {
        place_rows(context, take({2, 8}), {}, take({2, 9}), false);
      },
      {"place_rows", "out", "(2, 8)", "(2, 9)"});
  test::expect_error<InvalidArgument>(
      [&] {
        place_rows(context, take({2, 8}), take({3, 8}), take({2, 8}), false);
      },
      {"place_rows", "residual", "(3, 8)"});
}

TEST_F(Ops, RefuseTypesTheyDoNotTake) {
  test::expect_error<InvalidArgument>(
      [&] {
        token_embedding(context, take({3}, ElementType::i32), {}, take({16, 8}),
                        take({3, 8}, ElementType::bf16));
      },
      {"token_embedding", "out", "type"});
  test::expect_error<InvalidArgument>(
      [&] {
        const TensorView integers = take({4}, ElementType::i32);
        multiply(context, integers, integers, integers);
      },
      {"f32 or bf16"});
}

TEST_F(Ops, ScanWantsBAndCWithTheSameStrides) {
  SelectiveScanTensors tensors;
  tensors.x = take({1, 4, 8});
  tensors.delta = take({1, 4, 8});
  tensors.a = take({8, 16});
  tensors.b = take({1, 4, 16});
  tensors.c = take({1, 4, 40}).channels(8, 24);
  tensors.out = take({1, 4, 8});
  test::expect_error<InvalidArgument>([&] { selective_scan(context, {}, tensors, false); },
                                      {"strides"});
}

}  // namespace
}  // namespace ssmgen::ops
