// What the scan reads, made in one go, against the naive parts in f64; and a row's bits, whatever
// stands beside it. For back ends that prepare it: CUDA from sm_80 on.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "core/backend_loader.hpp"
#include "core/context.hpp"
#include "ops/ops.hpp"
#include "tests/reference/causal_conv.hpp"
#include "tests/reference/product.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels {
namespace {

using core::ElementType;
using core::Tensor;
using core::TensorView;
using test::random_values;

constexpr std::int64_t states = 16;
constexpr std::int64_t width = 4;
constexpr Device cuda_device{Device::Kind::cuda, 0};

// A mixer's weights, and rows to go through them.
struct Mixer {
  Mixer(std::int64_t channels_, std::int64_t rank_)
      : channels(channels_),
        rank(rank_),
        conv_weight(random_values<float>(channels * width, -1, 1, 1)),
        conv_bias(random_values<float>(channels, -1, 1, 2)),
        x_proj(random_values<float>((rank + 2 * states) * channels, -0.1f, 0.1f, 3)),
        dt_proj(random_values<float>(channels * rank, -1, 1, 4)),
        dt_bias(random_values<float>(channels, -14, 3, 5)) {}

  SweepInputsSpec spec() const {
    SweepInputsSpec result;
    result.channels = channels;
    result.rank = rank;
    result.states = states;
    result.width = width;
    result.type = Dtype::bf16;
    result.conv_weight = conv_weight.data();
    result.conv_bias = conv_bias.data();
    result.x_proj = x_proj.data();
    result.dt_proj = dt_proj.data();
    result.dt_bias = dt_bias.data();
    return result;
  }

  std::int64_t channels;
  std::int64_t rank;
  std::vector<float> conv_weight, conv_bias, x_proj, dt_proj, dt_bias;
};

struct Results {
  std::vector<float> u, b_c, delta, carry;
};

class CudaSweepInputs : public testing::Test {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT(cuda_device);
    backend_ = core::open_backend(cuda_device, 1);
    context_ = std::make_unique<core::Context>(*backend_);
    if (backend_->prepare_sweep_inputs(Mixer(32, 8).spec()) == nullptr) {
      GTEST_SKIP() << backend_->description() << " makes a sweep's inputs by their parts";
    }
  }

  Tensor upload(const std::vector<float>& values, Dtype dtype, const core::Shape& shape) {
    return core::upload(*backend_, values, dtype, shape);
  }
  std::vector<float> host(const TensorView& view) {
    std::vector<float> result(static_cast<std::size_t>(view.shape().count()));
    core::download(*backend_, context_->stream(), view, result);
    return result;
  }

  // x (batch, length, channels); the carry empty for none. `in_place`: it goes where it came from.
  Results run(const Mixer& mixer, const PreparedSweepInputs& prepared, const ops::Sweep& sweep,
              const std::vector<float>& x, std::int64_t batch, const std::vector<float>& carry,
              bool in_place = true) {
    const std::int64_t length = std::ssize(x) / batch / mixer.channels;
    const core::Shape shape{batch, length, mixer.channels};
    const std::int64_t columns = mixer.rank + 2 * states;
    const Tensor in = upload(x, Dtype::bf16, shape);
    ops::SweepInputsTensors to;
    const Tensor u(*backend_, ElementType::bf16, shape);
    const Tensor p = upload(std::vector<float>(static_cast<std::size_t>(batch * length * columns)),
                            Dtype::f32, {batch, length, columns});
    const Tensor delta(*backend_, ElementType::bf16, shape);
    to.u = u;
    to.p = p;
    to.delta = delta;
    Tensor tail_in;
    Tensor tail_out;
    if (!carry.empty()) {
      tail_in = upload(carry, Dtype::f32, {batch, width - 1, mixer.channels});
      tail_out = upload(carry, Dtype::f32, {batch, width - 1, mixer.channels});
    }
    const TensorView out = in_place ? tail_in : tail_out;
    ops::sweep_inputs(*context_, sweep, prepared, in, tail_in, out, to);
    Results results{host(u), {}, host(delta), {}};
    if (!carry.empty()) results.carry = host(out);
    const std::vector<float> all = host(p);
    for (std::int64_t row = 0; row < batch * length; ++row) {
      const auto from = all.begin() + row * columns + mixer.rank;
      results.b_c.insert(results.b_c.end(), from, from + 2 * states);
    }
    return results;
  }

  std::shared_ptr<Backend> backend_;
  std::unique_ptr<core::Context> context_;
};

std::vector<float> rounded(std::int64_t count, std::uint32_t seed) {
  std::vector<float> result;
  for (const auto value : random_values<bfloat16>(count, -2, 2, seed)) {
    result.push_back(static_cast<float>(value));
  }
  return result;
}

TEST_F(CudaSweepInputs, AgreeWithTheirPartsInF64) {
  for (const auto& [channels, rank] : {std::pair<std::int64_t, std::int64_t>{32, 8},
                                       {96, 16},
                                       {512, 16},
                                       {768, 24},
                                       {64, 32},
                                       {160, 48},
                                       {2048, 64}}) {
    for (const std::int64_t length : {1, 2, 5, 127, 300}) {
      for (const bool carried : {false, true}) {
        SCOPED_TRACE(testing::Message() << channels << " channels, rank " << rank << ", length "
                                        << length << (carried ? ", carried" : ""));
        const Mixer mixer(channels, rank);
        const auto prepared = backend_->prepare_sweep_inputs(mixer.spec());
        ASSERT_NE(prepared, nullptr);
        constexpr std::int64_t batch = 3;
        const std::vector<float> x = rounded(batch * length * channels, 6);
        const std::vector<float> carry =
            carried ? rounded(batch * (width - 1) * channels, 7) : std::vector<float>();
        const ops::Sweep sweep{Direction::right_to_left, 2};
        const Results found = run(mixer, *prepared, sweep, x, batch, carry, length % 2 == 0);

        CausalConvArgs<float> conv;
        conv.in = x.data();
        conv.in_batch_stride = length * channels;
        conv.in_row_stride = channels;
        conv.weight = mixer.conv_weight.data();
        conv.bias = mixer.conv_bias.data();
        conv.carry_in = carried ? carry.data() : nullptr;
        conv.batch = batch;
        conv.opposite_from = 2;
        conv.length = length;
        conv.channels = channels;
        conv.width = width;
        conv.direction = Direction::right_to_left;
        const auto expected = reference::causal_conv(conv);
        EXPECT_LE(test::relative_error<float>(found.u, expected.out), test::tolerance(Dtype::bf16));
        for (std::size_t i = 0; i < found.carry.size(); ++i) {
          ASSERT_EQ(found.carry[i], expected.carry[i]) << i;
        }

        // The rest from the u that was found, so that its rounding does not count twice.
        std::vector<double> b_c;
        std::vector<double> delta;
        const std::vector<bfloat16> u(found.u.begin(), found.u.end());
        ProductSpec x_proj;
        x_proj.inputs = channels;
        x_proj.outputs = rank + 2 * states;
        x_proj.weight = mixer.x_proj.data();
        ProductSpec dt_proj;
        dt_proj.inputs = rank;
        dt_proj.outputs = channels;
        dt_proj.activation = Activation::softplus;
        dt_proj.weight = mixer.dt_proj.data();
        dt_proj.bias = mixer.dt_bias.data();
        for (std::int64_t row = 0; row < batch * length; ++row) {
          const std::vector<double> p =
              reference::product_row<bfloat16, float>(x_proj, u.data() + row * channels, nullptr);
          b_c.insert(b_c.end(), p.begin() + rank, p.end());
          const std::vector<float> dt(p.begin(), p.begin() + rank);
          const std::vector<double> steps =
              reference::product_row<float, float>(dt_proj, dt.data(), nullptr);
          delta.insert(delta.end(), steps.begin(), steps.end());
        }
        // Tensor cores cut each sum of 16 products: 2.3e-6 after 2,048 channels.
        EXPECT_LE(test::relative_error<float>(found.b_c, b_c), 5e-6);
        EXPECT_LE(test::relative_error<float>(found.delta, delta), test::tolerance(Dtype::bf16));
      }
    }
  }
}

TEST_F(CudaSweepInputs, HaveTheBitsOfTheWholeInPartsAndInAnyBatch) {
  const Mixer mixer(512, 16);
  const auto prepared = backend_->prepare_sweep_inputs(mixer.spec());
  constexpr std::int64_t length = 2 * tile_length + 300;
  const std::vector<float> x = rounded(2 * length * mixer.channels, 8);
  const std::vector<float> zeros(static_cast<std::size_t>((width - 1) * mixer.channels));
  const ops::Sweep rightwards{Direction::left_to_right, 2};
  const Results both = run(mixer, *prepared, rightwards, x, 2, {});
  // A part may begin anywhere, and its steps in any place of a warp's tiles.
  for (const std::int64_t cut : {tile_length, tile_length + 21}) {
    for (std::int64_t sequence = 0; sequence < 2; ++sequence) {
      SCOPED_TRACE(testing::Message() << "sequence " << sequence << ", cut at " << cut);
      const auto begin = x.begin() + sequence * length * mixer.channels;
      const auto middle = begin + cut * mixer.channels;
      const std::vector<float> first(begin, middle);
      const std::vector<float> second(middle, begin + length * mixer.channels);
      Results parts = run(mixer, *prepared, {Direction::left_to_right, 1}, first, 1, zeros);
      const Results rest =
          run(mixer, *prepared, {Direction::left_to_right, 1}, second, 1, parts.carry);
      const auto expect_part_of = [&](const std::vector<float>& whole, std::vector<float>& part,
                                      const std::vector<float>& more) {
        part.insert(part.end(), more.begin(), more.end());
        EXPECT_TRUE(
            std::equal(part.begin(), part.end(), whole.begin() + sequence * std::ssize(part)));
      };
      expect_part_of(both.u, parts.u, rest.u);
      expect_part_of(both.b_c, parts.b_c, rest.b_c);
      expect_part_of(both.delta, parts.delta, rest.delta);
    }
  }
}

TEST_F(CudaSweepInputs, AreMadeByTheirPartsForOtherShapes) {
  for (const auto& [channels, rank] : {std::pair<std::int64_t, std::int64_t>{48, 8}, {64, 5}}) {
    EXPECT_EQ(backend_->prepare_sweep_inputs(Mixer(channels, rank).spec()), nullptr);
  }
  SweepInputsSpec spec = Mixer(64, 8).spec();
  spec.type = Dtype::f32;
  EXPECT_EQ(backend_->prepare_sweep_inputs(spec), nullptr);
}

}  // namespace
}  // namespace ssmgen::kernels
