#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <omp.h>
#include <ssmgen/errors.hpp>
#include <thread>
#include <vector>

#include "kernels/cpu/product.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/reference/product.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels::cpu {
namespace {

// A whole tile and a cut one.
const std::int64_t tile = product_tile_rows();
const std::int64_t many_rows = tile + 3;

/// The type pairs a product may have, whether bf16 units are used where there are any, and what
/// follows.
template <class InType, class OutType, bool native, Activation then = Activation::none>
struct Types {
  using In = InType;
  using Out = OutType;
  static constexpr bool native_bf16 = native;
  static constexpr Activation activation = then;
  /// Whether to accumulate: both where the contract has both.
  static std::vector<bool> accumulations() {
    return then == Activation::none ? std::vector<bool>{false, true} : std::vector<bool>{false};
  }
};
using AllTypes =
    testing::Types<Types<float, float, true>, Types<bfloat16, bfloat16, true>,
                   Types<bfloat16, float, true>, Types<bfloat16, bfloat16, false>,
                   Types<bfloat16, float, false>, Types<float, float, true, Activation::softplus>,
                   Types<float, bfloat16, true, Activation::softplus>>;

template <class T>
std::vector<T> spread(const std::vector<T>& dense, std::int64_t length, std::int64_t stride) {
  const auto rows = std::ssize(dense) / length;
  std::vector<T> out(static_cast<std::size_t>(rows * stride), T(-99.0f));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(dense.begin() + row * length, length, out.begin() + row * stride);
  }
  return out;
}

/// One weight, its product and inputs for it.
template <class Types>
struct Problem {
  using In = typename Types::In;
  using Out = typename Types::Out;

  Problem(std::int64_t inputs, std::int64_t outputs, bool with_bias = true)
      : weight(test::random_values<float>(inputs * outputs, -0.3f, 1.0f, 1)),
        bias(test::random_values<float>(outputs, -1.0f, 2.0f, 2)),
        in(test::random_values<In>(many_rows * inputs, -0.3f, 1.0f, 3)),
        before(test::random_values<Out>(many_rows * outputs, -1.0f, 2.0f, 4)) {
    spec.inputs = inputs;
    spec.outputs = outputs;
    spec.in = test::dtype_of<In>;
    spec.out = test::dtype_of<Out>;
    spec.activation = Types::activation;
    spec.weight = weight.data();
    spec.bias = with_bias ? bias.data() : nullptr;
    prepared = prepare_product(spec, Types::native_bf16 && has_bf16_products(), scratch);
  }

  struct How {
    bool accumulate = false;
    std::int64_t in_padding = 0;
    std::int64_t out_padding = 0;
    int threads = 1;
  };

  /// The product of rows [first, last) alone: their outputs, dense.
  std::vector<Out> run(std::int64_t first, std::int64_t last, const How& how) const {
    ThreadPool pool(how.threads);
    return run(pool, first, last, how);
  }

  std::vector<Out> run(ThreadPool& pool, std::int64_t first, std::int64_t last,
                       const How& how) const {
    const std::int64_t in_stride = spec.inputs + how.in_padding;
    const std::int64_t out_stride = spec.outputs + how.out_padding;
    const std::vector<In> rows_in =
        spread<In>({in.begin() + first * spec.inputs, in.begin() + last * spec.inputs}, spec.inputs,
                   in_stride);
    std::vector<Out> rows_out =
        spread<Out>({before.begin() + first * spec.outputs, before.begin() + last * spec.outputs},
                    spec.outputs, out_stride);
    ProductArgs args;
    args.product = prepared.get();
    args.in = rows_in.data();
    args.out = rows_out.data();
    args.rows = last - first;
    args.in_row_stride = in_stride;
    args.out_row_stride = out_stride;
    args.accumulate = how.accumulate;
    product(pool, args);
    std::vector<Out> dense;
    for (std::int64_t row = 0; row < args.rows; ++row) {
      const auto from = rows_out.begin() + row * out_stride;
      dense.insert(dense.end(), from, from + spec.outputs);
      EXPECT_TRUE(std::all_of(from + spec.outputs, from + out_stride, [](Out value) {
        return static_cast<float>(value) == -99.0f;
      })) << "wrote between the rows";
    }
    return dense;
  }

  std::vector<double> expected(std::int64_t row, bool accumulate) const {
    return reference::product_row<In, Out>(
        spec, in.data() + row * spec.inputs,
        accumulate ? before.data() + row * spec.outputs : nullptr);
  }

  ScratchPool scratch;
  std::vector<float> weight;
  std::vector<float> bias;
  std::vector<In> in;
  std::vector<Out> before;
  ProductSpec spec;
  std::unique_ptr<PreparedProduct> prepared;
};

template <class T>
std::vector<T> rows_of(const std::vector<T>& all, std::int64_t length, std::int64_t first,
                       std::int64_t last) {
  return {all.begin() + first * length, all.begin() + last * length};
}

/// Shapes of every projection of the models, and others that no vector length divides.
void for_each_shape(const std::function<void(std::int64_t, std::int64_t)>& check) {
  for (const std::int64_t inputs : {1, 3, 8, 16, 48, 127, 128, 256, 512, 1024}) {
    for (const std::int64_t outputs : {1, 4, 35, 40, 56, 128, 256, 512, 1024}) {
      SCOPED_TRACE(testing::Message() << outputs << " x " << inputs);
      check(inputs, outputs);
    }
  }
}

template <class Types>
class Product : public testing::Test {};
TYPED_TEST_SUITE(Product, AllTypes);

TYPED_TEST(Product, MatchesTheReference) {
  for_each_shape([](std::int64_t inputs, std::int64_t outputs) {
    const Problem<TypeParam> problem(inputs, outputs, inputs % 16 == 0);
    for (const bool accumulate : TypeParam::accumulations()) {
      const auto got = problem.run(0, many_rows, {.accumulate = accumulate});
      for (const std::int64_t row : {std::int64_t{0}, tile - 1, tile, many_rows - 1}) {
        test::expect_close(rows_of(got, outputs, row, row + 1), problem.expected(row, accumulate));
      }
    }
  });
}

TYPED_TEST(Product, MatchesTheReferenceForAnyNumberOfRows) {
  const Problem<TypeParam> problem(48, 35);
  for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{2}, tile - 1, tile, tile + 1}) {
    const auto got = problem.run(0, rows, {});
    for (std::int64_t row = 0; row < rows; ++row) {
      test::expect_close(rows_of(got, 35, row, row + 1), problem.expected(row, false));
    }
  }
  EXPECT_TRUE(problem.run(0, 0, {}).empty());
}

// The law the whole project stands on: bits of a row come from that row, not from its neighbours,
// its place, the strides, the number of rows or threads.
TYPED_TEST(Product, ARowDependsOnThatRowAlone) {
  for_each_shape([](std::int64_t inputs, std::int64_t outputs) {
    const Problem<TypeParam> problem(inputs, outputs);
    for (const bool accumulate : TypeParam::accumulations()) {
      SCOPED_TRACE(accumulate ? "accumulating" : "plain");
      const auto all = problem.run(0, many_rows, {.accumulate = accumulate});
      const auto expect_same = [&](std::int64_t first, std::int64_t last,
                                   const typename Problem<TypeParam>::How& how) {
        EXPECT_EQ(test::bits(problem.run(first, last, how)),
                  test::bits(rows_of(all, outputs, first, last)))
            << "rows " << first << " to " << last;
      };
      for (const std::int64_t first : {std::int64_t{1}, std::int64_t{17}, tile / 2, tile - 1,
                                       tile}) {  // other places in the tile
        expect_same(first, many_rows, {.accumulate = accumulate});
      }
      for (const std::int64_t row :
           {std::int64_t{0}, std::int64_t{77}, tile - 1, tile, many_rows - 1}) {
        expect_same(row, row + 1, {.accumulate = accumulate});
      }
      expect_same(0, many_rows, {.accumulate = accumulate, .in_padding = 32});
      expect_same(0, many_rows, {.accumulate = accumulate, .out_padding = 24});
      expect_same(2, many_rows, {.accumulate = accumulate, .in_padding = 1, .out_padding = 1});
      expect_same(0, many_rows, {.accumulate = accumulate, .threads = 3});
    }
  });
}

TYPED_TEST(Product, EqualRowsGiveEqualBitsInEveryPlace) {
  for_each_shape([](std::int64_t inputs, std::int64_t outputs) {
    Problem<TypeParam> problem(inputs, outputs);
    for (std::int64_t row = 1; row < many_rows; ++row) {
      std::copy_n(problem.in.begin(), inputs, problem.in.begin() + row * inputs);
    }
    const auto words = test::bits(problem.run(0, many_rows, {}));
    for (std::int64_t row = 1; row < many_rows; ++row) {
      ASSERT_TRUE(std::equal(words.begin(), words.begin() + outputs, words.begin() + row * outputs))
          << "row " << row;
    }
  });
}

TYPED_TEST(Product, ServesSeveralThreadsAtOnce) {
  const Problem<TypeParam> problem(64, 96);
  const auto expected = test::bits(problem.run(0, many_rows, {}));
  ThreadPool shared(2);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 20; ++round) {
        // Half of them have a pool of their own, half share one.
        const auto got = caller < 2 ? problem.run(shared, 0, many_rows, {})
                                    : problem.run(0, many_rows, {.threads = 2});
        EXPECT_EQ(test::bits(got), expected);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

std::ptrdiff_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// oneDNN's OpenMP build starts threads of its own when it is let.
TEST(ProductThreads, ComeFromThePoolAlone) {
  const int before = omp_get_max_threads();
  std::thread caller([] {
    omp_set_num_threads(7);
    const auto threads_before = threads_of_this_process();
    const Problem<Types<float, float, true>> problem(256, 512);
    ThreadPool pool(2);
    problem.run(pool, 0, many_rows, {});
    EXPECT_LE(threads_of_this_process(), threads_before + 1);
    EXPECT_EQ(omp_get_max_threads(), 7) << "the host program's setting is put back";
  });
  caller.join();
  EXPECT_EQ(omp_get_max_threads(), before);
}

TEST(ProductWeights, AreCopied) {
  Problem<Types<float, float, true>> problem(16, 8);
  const auto before = test::bits(problem.run(0, 5, {}));
  std::fill(problem.weight.begin(), problem.weight.end(), 0.0f);
  std::fill(problem.bias.begin(), problem.bias.end(), 0.0f);
  EXPECT_EQ(test::bits(problem.run(0, 5, {})), before);
}

TEST(ProductErrors, NameWhatWasExpected) {
  ScratchPool scratch;
  const std::vector<float> weight(6, 1.0f);
  ProductSpec spec;
  spec.inputs = 2;
  spec.outputs = 3;
  spec.weight = weight.data();
  const auto prepare = [&](const ProductSpec& wrong) {
    return [&scratch, wrong] { prepare_product(wrong, true, scratch); };
  };
  ProductSpec wrong = spec;
  wrong.inputs = 0;
  test::expect_error<InvalidArgument>(prepare(wrong), {"product", "3 x 0"});
  wrong = spec;
  wrong.weight = nullptr;
  test::expect_error<InvalidArgument>(prepare(wrong), {"product", "no address"});
  wrong = spec;
  wrong.out = Dtype::bf16;
  test::expect_error<InvalidArgument>(prepare(wrong), {"f32 inputs", "bf16"});
  wrong.in = Dtype::bf16;
  wrong.activation = Activation::softplus;
  test::expect_error<InvalidArgument>(prepare(wrong), {"softplus", "bf16"});

  ThreadPool pool(1);
  const auto prepared = prepare_product(spec, true, scratch);
  std::vector<float> memory(64);
  ProductArgs args;
  args.product = prepared.get();
  args.in = memory.data();
  args.out = memory.data() + 32;
  args.rows = 2;
  args.in_row_stride = 1;
  args.out_row_stride = 3;
  test::expect_error<InvalidArgument>([&] { product(pool, args); }, {"strides 1 and 3"});
  ProductSpec time_step = spec;
  time_step.activation = Activation::softplus;
  const auto activated = prepare_product(time_step, true, scratch);
  args.product = activated.get();
  args.in_row_stride = 2;
  args.accumulate = true;
  test::expect_error<InvalidArgument>([&] { product(pool, args); }, {"softplus", "added"});
  class Other final : public PreparedProduct {
  } other;
  args.product = &other;
  test::expect_error<InvalidArgument>([&] { product(pool, args); }, {"CPU back end"});
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
