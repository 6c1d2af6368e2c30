// Tensors of more than 2^31 elements on a card: the kernels between embedding and output of a block
// in a row, samples of each result compared with the CPU's. The CPU works out a stretch before each
// sample alone: delta and A are such that the scan forgets what lies before it.
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "core/backend_loader.hpp"
#include "ops/ops.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/kernel_values.hpp"
#include "tests/support/machine.hpp"

namespace ssmgen::kernels {
namespace {

using core::ElementType;
using core::Shape;
using core::Tensor;
using core::TensorView;
using test::random_values;

constexpr std::int64_t channels = 512;
constexpr std::int64_t states = 16;
constexpr std::int64_t rank = 16;
constexpr std::int64_t projected = rank + 2 * states;
constexpr std::int64_t vocabulary = 16;
constexpr std::int64_t rows = (std::int64_t{1} << 22) + 5000;  // times channels: beyond 2^31
static_assert(rows * channels > std::int64_t{1} << 31);

constexpr std::int64_t sample_rows = 32;
constexpr std::int64_t stretch_rows = 512;  // up to a sample's end

class Chain {
 public:
  explicit Chain(const Device& device)
      : machine_(device),
        weight_(machine_.tensor(random_values<float>(vocabulary * channels, -1, 1, 1),
                                {vocabulary, channels}, Dtype::bf16)),
        norm_weight_(machine_.tensor(random_values<float>(channels, 0.5f, 1.5f, 2), {channels})),
        conv_weight_(
            machine_.tensor(random_values<float>(channels * 4, -0.5f, 1, 3), {channels, 4})),
        a_(machine_.tensor(random_values<float>(channels * states, -4, -0.5f, 4),
                           {channels, states})),
        d_(machine_.tensor(random_values<float>(channels, 0.5f, 1.5f, 5), {channels})),
        x_proj_(prepare(projected, channels, Dtype::bf16, Dtype::f32, 0.05f, 6)),
        dt_proj_(prepare(channels, rank, Dtype::f32, Dtype::bf16, 0.1f, 7)) {}

  /// The results of each step for these tokens, swept left to right from no state.
  void run(const std::vector<std::int32_t>& ids) {
    const auto count = static_cast<std::int64_t>(ids.size());
    const auto take = [&](ElementType type, std::int64_t width) {
      results_.push_back(std::make_unique<Tensor>(*machine_.backend, type, Shape{count, width}));
      return results_.back()->view();
    };
    core::Context& ctx = machine_.context;
    const Tensor tokens = core::upload(*machine_.backend, ids, {count});
    const TensorView normed = take(ElementType::bf16, channels);
    ops::token_embedding(ctx, tokens, {}, weight_, normed);
    const TensorView residual = take(ElementType::bf16, channels);
    ops::add_norm(ctx, {ops::NormKind::rms, norm_weight_, {}, 1e-5f}, normed, {}, residual, normed,
                  false);
    const TensorView conv = take(ElementType::bf16, channels);
    const ops::Sweep sweep{Direction::left_to_right, 1};
    const auto of_sequence = [&](const TensorView& tensor) {
      return tensor.reshape({1, count, tensor.shape()[1]});
    };
    ops::causal_conv(ctx, sweep, of_sequence(normed), conv_weight_, {}, {}, {}, of_sequence(conv));
    const TensorView dt_b_c = take(ElementType::f32, projected);
    ops::product(ctx, *x_proj_, conv, dt_b_c, false);
    const TensorView delta = take(ElementType::bf16, channels);
    ops::product(ctx, *dt_proj_, dt_b_c.channels(0, rank), delta, false);
    ops::SelectiveScanTensors scan;
    scan.x = of_sequence(conv);
    scan.delta = of_sequence(delta);
    scan.a = a_;
    scan.b = of_sequence(dt_b_c).channels(rank, rank + states);
    scan.c = of_sequence(dt_b_c).channels(rank + states, projected);
    scan.d = d_;
    scan.gate = of_sequence(normed);
    const TensorView out = take(ElementType::bf16, channels);
    scan.out = of_sequence(out);
    ops::selective_scan(ctx, sweep, scan, false);
    ctx.synchronize();
  }

  std::size_t result_count() const { return results_.size(); }
  std::vector<float> result(std::size_t step, std::int64_t begin, std::int64_t end) const {
    return machine_.host(results_[step]->view().slice(begin, end));
  }

 private:
  std::unique_ptr<PreparedProduct> prepare(std::int64_t outputs, std::int64_t inputs, Dtype in,
                                           Dtype out, float scale, std::uint32_t seed) const {
    const std::vector<float> weight = random_values<float>(outputs * inputs, -scale, scale, seed);
    const std::vector<float> bias(static_cast<std::size_t>(outputs), 1.0f);
    ProductSpec spec;
    spec.inputs = inputs;
    spec.outputs = outputs;
    spec.in = in;
    spec.out = out;
    spec.activation = in == Dtype::f32 ? Activation::softplus : Activation::none;
    spec.weight = weight.data();
    spec.bias = in == Dtype::f32 ? bias.data() : nullptr;
    return machine_.backend->prepare_product(spec);
  }

  test::Machine machine_;
  Tensor weight_;
  Tensor norm_weight_;
  Tensor conv_weight_;
  Tensor a_;
  Tensor d_;
  std::unique_ptr<PreparedProduct> x_proj_;
  std::unique_ptr<PreparedProduct> dt_proj_;
  std::vector<std::unique_ptr<Tensor>> results_;
};

TEST(LargeCuda, SamplesOfMoreThan2To31ElementsAgreeWithTheCpu) {
  const Device card{Device::Kind::cuda, 0};
  SSMGEN_SKIP_WITHOUT(card);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(rows));
  std::uint32_t state = 1;
  for (std::int32_t& id : ids) {
    state = state * 1664525u + 1013904223u;
    id = static_cast<std::int32_t>(state >> 28);
  }
  Chain large(card);
  large.run(ids);
  const std::int64_t edge = (std::int64_t{1} << 31) / channels;  // element 2^31 lies in this row
  for (const std::int64_t end : {stretch_rows, rows / 2, edge + sample_rows / 2, rows}) {
    Chain small({});
    small.run({ids.begin() + (end - stretch_rows), ids.begin() + end});
    for (std::size_t step = 0; step < large.result_count(); ++step) {
      const std::vector<float> near = small.result(step, stretch_rows - sample_rows, stretch_rows);
      const std::vector<double> expected(near.begin(), near.end());
      EXPECT_LE(test::relative_error<float>(large.result(step, end - sample_rows, end), expected),
                test::tolerance(Dtype::bf16))
          << "step " << step << ", rows up to " << end;
    }
  }
}

}  // namespace
}  // namespace ssmgen::kernels
