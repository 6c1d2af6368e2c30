#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <memory>
#include <regex>
#include <ssmgen/errors.hpp>
#include <string>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cpu/cpu_backend.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels {
namespace {

using cpu::make_cpu_backend;

TEST(CpuBackend, DescribesItself) {
  const auto two = make_cpu_backend(2);
  EXPECT_EQ(two->threads(), 2);
  const std::regex form(R"(cpu \([A-Z0-9_]+, 2 threads, (bf16|f32) products\))");
  EXPECT_TRUE(std::regex_match(two->description(), form)) << two->description();
  EXPECT_EQ(two->description().find("bf16") != std::string::npos, two->native_bf16_products());
  EXPECT_NE(make_cpu_backend(1)->description().find("1 thread,"), std::string::npos);
  EXPECT_EQ(make_cpu_backend(0)->threads(), cpu::available_cpus());
}

TEST(CpuBackend, FormsBf16ProductsInF32WhenAsked) {
  const auto backend = make_cpu_backend({.threads = 1, .native_bf16 = false});
  EXPECT_FALSE(backend->native_bf16_products());
  EXPECT_NE(backend->description().find("f32 products"), std::string::npos);
}

TEST(CpuBackend, RefusesNegativeThreads) {
  test::expect_error<InvalidArgument>([] { make_cpu_backend(-3); }, {"threads", "-3"});
}

TEST(CpuBackend, AllocatesAlignedMemory) {
  const auto backend = make_cpu_backend(1);
  for (const std::int64_t bytes : {0, 1, 63, 64, 65, 4097, 2 << 20, (5 << 20) + 1}) {
    void* memory = backend->allocate(bytes);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 64, 0u) << bytes;
    std::memset(memory, 0x5a, static_cast<std::size_t>(bytes));
    backend->release(memory);
  }
  backend->release(nullptr);
}

TEST(CpuBackend, SaysHowManyBytesItCouldNotHave) {
  const auto backend = make_cpu_backend(1);
  for (const std::int64_t bytes :
       {std::int64_t{1} << 50, std::numeric_limits<std::int64_t>::max()}) {
    test::expect_error<DeviceError>([&] { backend->allocate(bytes); },
                                    {"cpu", std::to_string(bytes)});
  }
  test::expect_error<InvalidArgument>([&] { backend->allocate(-1); }, {"cpu", "-1"});
}

TEST(CpuBackend, CopiesAndClears) {
  const auto backend = make_cpu_backend(1);
  const Stream stream = backend->create_stream();
  const std::string text = "between the lines";
  const auto bytes = std::ssize(text);
  auto* first = static_cast<char*>(backend->allocate(bytes));
  auto* second = static_cast<char*>(backend->allocate(bytes));
  std::string back(text.size(), '?');
  backend->copy_from_host(stream, first, text.data(), bytes);
  backend->copy(stream, second, first, bytes);
  backend->fill_zero(stream, second, 3);
  backend->copy_to_host(stream, back.data(), second, bytes);
  backend->copy(stream, nullptr, nullptr, 0);
  backend->fill_zero(stream, nullptr, 0);
  backend->synchronize(stream);
  EXPECT_EQ(back, std::string(3, '\0') + text.substr(3));
  backend->release(first);
  backend->release(second);
  backend->destroy_stream(stream);
}

TEST(CpuBackend, MeasuresItsRates) {
  const auto backend = make_cpu_backend(1);
  const DeviceRates rates = backend->measure_rates(Dtype::f32);
  EXPECT_GT(rates.product_flop_per_second, 1e8);
  EXPECT_GT(rates.exponentials_per_second, 1e6);
}

// Each virtual must reach the kernel of its own name and type; inputs are chosen so that every
// kernel has an output that none of the others gives and that can be told by hand.
template <class T>
class BackendKernels : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
  Stream stream_ = nullptr;

  static std::vector<T> values(std::initializer_list<float> list) {
    std::vector<T> out;
    for (const float value : list) out.push_back(T(value));
    return out;
  }
};
using StorageTypes = testing::Types<float, bfloat16>;
TYPED_TEST_SUITE(BackendKernels, StorageTypes);

TYPED_TEST(BackendKernels, TokenEmbeddingAndGatherRows) {
  const std::vector<std::int32_t> ids = {2, 0};
  const std::vector<TypeParam> weight = this->values({1, 2, 3, 4, 5, 6});
  std::vector<TypeParam> out(4);
  TokenEmbeddingArgs<TypeParam> embedding;
  embedding.ids = ids.data();
  embedding.weight = weight.data();
  embedding.out = out.data();
  embedding.rows = 2;
  embedding.channels = 2;
  this->backend_->token_embedding(this->stream_, embedding);
  EXPECT_EQ(test::bits(out), test::bits(this->values({5, 6, 1, 2})));

  const std::vector<std::int64_t> rows = {1, 1};
  GatherRowsArgs<TypeParam> gather;
  gather.in = weight.data();
  gather.in_row_stride = 3;
  gather.row_index = rows.data();
  gather.out = out.data();
  gather.rows = 2;
  gather.channels = 2;
  this->backend_->gather_rows(this->stream_, gather);
  EXPECT_EQ(test::bits(out), test::bits(this->values({4, 5, 4, 5})));
}

TYPED_TEST(BackendKernels, PlaceRows) {
  const std::vector<TypeParam> in = this->values({1, 2, 3, 4});
  const std::vector<float> residual = {0.5f, 0.25f, -1.0f, -4.0f};
  std::vector<float> out(6, 9.0f);
  PlaceRowsArgs<TypeParam> args;
  args.in = in.data();
  args.in_row_stride = 2;
  args.residual = residual.data();
  args.residual_row_stride = 2;
  args.out = out.data() + 1;
  args.out_row_stride = 3;
  args.rows = 2;
  args.channels = 2;
  args.reversed = true;
  this->backend_->place_rows(this->stream_, args);
  EXPECT_EQ(out, (std::vector<float>{9.0f, 2.25f, 1.5f, 9.0f, 0.0f, 2.0f}));
}

TYPED_TEST(BackendKernels, Norms) {
  const std::vector<TypeParam> hidden = this->values({1, 7});
  const std::vector<float> ones = {1.0f, 1.0f};
  std::vector<TypeParam> out(2);
  AddNormArgs<TypeParam, TypeParam> same;
  same.hidden = hidden.data();
  same.weight = ones.data();
  same.out = out.data();
  same.rows = 1;
  same.channels = 2;
  same.epsilon = 0.0f;
  const auto expect_out = [&out](float first, float second) {
    EXPECT_NEAR(static_cast<float>(out[0]), first, 5e-3f);
    EXPECT_NEAR(static_cast<float>(out[1]), second, 5e-3f);
  };
  this->backend_->add_rms_norm(this->stream_, same);
  expect_out(0.2f, 1.4f);
  this->backend_->add_layer_norm(this->stream_, same);
  expect_out(-1.0f, 1.0f);
  if constexpr (!std::is_same_v<TypeParam, float>) {
    AddNormArgs<TypeParam, float> wide;
    std::vector<float> residual = {0.0f, 0.0f};
    wide.hidden = hidden.data();
    wide.residual_out = residual.data();
    wide.weight = ones.data();
    wide.out = out.data();
    wide.rows = 1;
    wide.channels = 2;
    wide.epsilon = 0.0f;
    this->backend_->add_rms_norm(this->stream_, wide);
    expect_out(0.2f, 1.4f);
    EXPECT_EQ(residual, (std::vector<float>{1.0f, 7.0f}));
    this->backend_->add_layer_norm(this->stream_, wide);
    expect_out(-1.0f, 1.0f);
  }
}

TYPED_TEST(BackendKernels, ConvolutionAndScan) {
  const std::vector<TypeParam> in = this->values({0, 20});
  const std::vector<float> weight = {3.0f, 2.0f};
  std::vector<TypeParam> out(2);
  CausalConvArgs<TypeParam> conv;
  conv.in = in.data();
  conv.in_batch_stride = 2;
  conv.in_row_stride = 1;
  conv.weight = weight.data();
  conv.out = out.data();
  conv.batch = 1;
  conv.opposite_from = 1;
  conv.length = 2;
  conv.channels = 1;
  conv.width = 2;
  this->backend_->causal_conv(this->stream_, conv);
  EXPECT_EQ(test::bits(out), test::bits(this->values({0, 40})));  // SiLU(40) is 40 in f32

  // A step of 40 and A = -10 forget all: y = C * 40 * B * x.
  const std::vector<TypeParam> delta = this->values({40, 40});
  const std::vector<float> a = {-10.0f};
  const std::vector<float> b = {0.25f, 0.25f};
  const std::vector<float> c = {0.5f, 0.5f};
  SelectiveScanArgs<TypeParam> scan;
  scan.x = in.data();
  scan.x_batch_stride = 2;
  scan.x_row_stride = 1;
  scan.delta = delta.data();
  scan.a = a.data();
  scan.b = b.data();
  scan.c = c.data();
  scan.bc_batch_stride = 2;
  scan.bc_row_stride = 1;
  scan.out = out.data();
  scan.batch = 1;
  scan.opposite_from = 1;
  scan.length = 2;
  scan.channels = 1;
  scan.states = 1;
  this->backend_->selective_scan(this->stream_, scan);
  EXPECT_EQ(test::bits(out), test::bits(this->values({0, 100})));
}

TYPED_TEST(BackendKernels, ProductMultiplyAndLmHead) {
  const std::vector<TypeParam> in = this->values({2, 3});
  const std::vector<float> weight = {1.0f, 10.0f, -1.0f, 0.5f};
  ProductSpec spec;
  spec.inputs = 2;
  spec.outputs = 2;
  spec.in = spec.out = test::dtype_of<TypeParam>;
  spec.weight = weight.data();
  const auto prepared = this->backend_->prepare_product(spec);
  std::vector<TypeParam> out(2);
  ProductArgs product;
  product.product = prepared.get();
  product.in = in.data();
  product.out = out.data();
  product.rows = 1;
  product.in_row_stride = 2;
  product.out_row_stride = 2;
  this->backend_->product(this->stream_, product);
  EXPECT_EQ(test::bits(out), test::bits(this->values({32, -0.5f})));

  MultiplyArgs<TypeParam> multiply;
  multiply.a = in.data();
  multiply.b = in.data();
  multiply.out = out.data();
  multiply.count = 2;
  this->backend_->multiply(this->stream_, multiply);
  EXPECT_EQ(test::bits(out), test::bits(this->values({4, 9})));

  std::vector<float> logits(2);
  LmHeadArgs<TypeParam> head;
  head.plus = in.data();
  head.weight = weight.data();
  head.logits = logits.data();
  head.rows = 1;
  head.channels = 2;
  head.vocabulary = 2;
  this->backend_->lm_head(this->stream_, head);
  EXPECT_EQ(logits, (std::vector<float>{32.0f, -0.5f}));
}

TEST(CpuBackend, BaseLogSoftmax) {
  const std::vector<float> logits = {9.0f, 1.0f, 1.0f, 1.0f, 1.0f};
  std::vector<float> out(4);
  BaseLogSoftmaxArgs args;
  args.logits = logits.data();
  args.base_ids = {1, 2, 3, 4};
  args.out = out.data();
  args.rows = 1;
  args.vocabulary = 5;
  make_cpu_backend(1)->base_log_softmax(nullptr, args);
  for (const float value : out) EXPECT_FLOAT_EQ(value, -1.3862944f);
}

}  // namespace
}  // namespace ssmgen::kernels
