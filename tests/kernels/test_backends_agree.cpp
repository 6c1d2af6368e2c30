// Each kernel of the CUDA back end against the CPU's on the same random inputs, over the shapes
// that break kernels: length 1, around a tile, odd channels, strided rows, both directions,
// carries.
#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <memory>

#include "core/backend_loader.hpp"
#include "core/context.hpp"
#include "ops/ops.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen::kernels {
namespace {

using core::Shape;
using core::Tensor;
using core::TensorView;

struct Machine {
  explicit Machine(const Device& device)
      : backend(core::open_backend(device, 2)), context(*backend) {}

  Tensor values(const Shape& shape, float low, float high, std::uint32_t seed,
                Dtype dtype = Dtype::f32) const {
    return core::upload(*backend, test::random_values<float>(shape.count(), low, high, seed), dtype,
                        shape);
  }
  Tensor integers(const std::vector<std::int32_t>& ids) const {
    return core::upload(*backend, ids, {static_cast<std::int64_t>(ids.size())});
  }
  std::vector<float> host(const TensorView& view) const {
    std::vector<float> result(static_cast<std::size_t>(view.shape().count()));
    core::download(*backend, context.stream(), view, result);
    return result;
  }

  std::shared_ptr<Backend> backend;
  core::Context context;
};

class BackendsAgree : public testing::TestWithParam<Dtype> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(cuda_device); }

  /// Runs `body` on both and compares the tensors it returns.
  template <class Body>
  void compare(Body&& body) {
    Machine cpu({});
    Machine cuda(cuda_device);
    const std::vector<Tensor> expected = body(cpu);
    const std::vector<Tensor> found = body(cuda);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::vector<float> a = cpu.host(expected[i]);
      const std::vector<float> b = cuda.host(found[i]);
      const std::vector<double> wanted(a.begin(), a.end());
      EXPECT_LE(test::relative_error<float>(b, wanted), test::tolerance(GetParam())) << i;
    }
  }

  static constexpr Device cuda_device{Device::Kind::cuda, 0};
};

TEST_P(BackendsAgree, TokenEmbeddingAndGather) {
  compare([&](Machine& machine) {
    const Tensor weight = machine.values({16, 33}, -1, 1, 1, GetParam());
    std::vector<std::int32_t> ids(1000);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % 16);
    const Tensor tokens = machine.integers(ids);
    std::vector<Tensor> out;
    out.emplace_back(*machine.backend, core::element_type(GetParam()), Shape{1000, 33});
    ops::token_embedding(machine.context, tokens, {}, weight, out[0]);
    return out;
  });
}

TEST_P(BackendsAgree, Norms) {
  for (const ops::NormKind kind : {ops::NormKind::rms, ops::NormKind::layer}) {
    for (const std::int64_t channels : {1, 33, 96, 256, 1024, 1280}) {
      for (const bool reverse : {false, true}) {
        compare([&](Machine& machine) {
          const Tensor weight = machine.values({channels}, 0.5f, 1.5f, 2);
          const Tensor bias = machine.values({channels}, -1, 1, 3);
          const Tensor hidden = machine.values({37, channels}, -2, 2, 4, GetParam());
          std::vector<Tensor> out;
          out.push_back(machine.values({37, channels}, -2, 2, 5, GetParam()));
          out.emplace_back(*machine.backend, core::element_type(GetParam()), Shape{37, channels});
          const ops::NormParameters norm{kind, weight, bias, 1e-5f};
          ops::add_norm(machine.context, norm, hidden, out[0], out[0], out[1], reverse);
          out.emplace_back(*machine.backend, core::element_type(GetParam()), Shape{37, channels});
          ops::add_norm(machine.context, norm, {}, out[0], {}, out[2], !reverse);
          ops::add_norm(machine.context, norm, hidden, out[0], out[0], {}, reverse);
          return out;
        });
      }
    }
  }
}

TEST_P(BackendsAgree, Products) {
  for (const auto& [inputs, outputs] : {std::pair<int, int>{48, 35}, {128, 512}, {256, 40}}) {
    compare([&, inputs = inputs, outputs = outputs](Machine& machine) {
      const std::vector<float> weight =
          test::random_values<float>(std::int64_t{inputs} * outputs, -1, 1, 6);
      ProductSpec spec;
      spec.inputs = inputs;
      spec.outputs = outputs;
      spec.in = GetParam();
      spec.out = Dtype::f32;
      spec.weight = weight.data();
      const auto product = machine.backend->prepare_product(spec);
      const Tensor in = machine.values({131, inputs}, -1, 1, 7, GetParam());
      std::vector<Tensor> out;
      out.push_back(machine.values({131, outputs}, -1, 1, 8));
      ops::product(machine.context, *product, in, out[0], true);
      return out;
    });
  }
}

TEST_P(BackendsAgree, ProductsWithSoftplus) {
  for (const auto& [inputs, outputs] : {std::pair<int, int>{4, 96},
                                        {16, 512},
                                        {24, 768},
                                        {32, 40},
                                        {48, 104},
                                        {64, 128},
                                        {128, 64},
                                        {3, 5},
                                        {130, 33}}) {
    compare([&, inputs = inputs, outputs = outputs](Machine& machine) {
      const std::vector<float> weight =
          test::random_values<float>(std::int64_t{inputs} * outputs, -0.2f, 0.2f, 6);
      const std::vector<float> bias = test::random_values<float>(outputs, -4, 1, 7);
      ProductSpec spec;
      spec.inputs = inputs;
      spec.outputs = outputs;
      spec.in = Dtype::f32;
      spec.out = GetParam();
      spec.activation = Activation::softplus;
      spec.weight = weight.data();
      spec.bias = bias.data();
      const auto product = machine.backend->prepare_product(spec);
      const Tensor in = machine.values({1031, inputs + 8}, -1, 1, 8);
      std::vector<Tensor> out;
      out.emplace_back(*machine.backend, core::element_type(GetParam()), Shape{1031, outputs});
      ops::product(machine.context, *product, in.view().channels(0, inputs), out[0], false);
      return out;
    });
  }
}

TEST_P(BackendsAgree, CausalConv) {
  for (const std::int64_t length : {1, 2, 3, 31, 200}) {
    for (const std::int64_t channels : {1, 33, 64}) {
      for (const std::int64_t width : {1, 3, 4}) {
        compare([&](Machine& machine) {
          const Tensor in = machine.values({3, length, 2 * channels}, -2, 2, 9, GetParam());
          const Tensor weight = machine.values({channels, width}, -1, 1, 10);
          const Tensor bias = machine.values({channels}, -1, 1, 11);
          std::vector<Tensor> out;
          out.emplace_back(*machine.backend, core::element_type(GetParam()),
                           Shape{3, length, channels});
          out.push_back(machine.values({3, width - 1, channels}, -2, 2, 12));
          ops::causal_conv(machine.context, {Direction::right_to_left, 2},
                           in.view().channels(0, channels), weight, bias, out[1], out[1], out[0]);
          if (width == 1) out.pop_back();
          return out;
        });
      }
    }
  }
}

class ScansAgree : public BackendsAgree {
 protected:
  void compare_strided_scans(std::initializer_list<std::int64_t> lengths);
};

void ScansAgree::compare_strided_scans(std::initializer_list<std::int64_t> lengths) {
  for (const std::int64_t length : lengths) {
    for (const auto& [channels, states] :
         {std::pair<int, int>{33, 16}, {64, 16}, {512, 16}, {5, 5}, {9, 24}, {16, 64}}) {
      compare([&, channels = channels, states = states](Machine& machine) {
        ops::SelectiveScanTensors scan;
        const Tensor x = machine.values({2, length, 2 * channels}, -1, 1, 13, GetParam());
        const Tensor delta = machine.values({2, length, channels}, 0.001f, 0.8f, 14, GetParam());
        const Tensor a = machine.values({channels, states}, -16, -0.01f, 16);
        const Tensor b_c = machine.values({2, length, 2 * states}, -0.2f, 1, 17);
        const Tensor d = machine.values({channels}, -0.2f, 1, 18);
        std::vector<Tensor> out;
        out.push_back(machine.values({2, length, channels}, -1, 1, 19, GetParam()));
        out.push_back(machine.values({2, channels, states}, -0.2f, 1, 20));
        scan.x = x.view().channels(0, channels);
        scan.gate = x.view().channels(channels, 2 * channels);
        scan.delta = delta;
        scan.a = a;
        scan.b = b_c.view().channels(0, states);
        scan.c = b_c.view().channels(states, 2 * states);
        scan.d = d;
        scan.state_in = out[1];
        scan.state_out = out[1];
        scan.out = out[0];
        ops::selective_scan(machine.context, {Direction::left_to_right, 1, ops::endless}, scan,
                            true);
        return out;
      });
    }
  }
}

// Small enough for racecheck; the last one comes back to each place in shared memory several times.
TEST_P(ScansAgree, OfShortSequences) {
  compare_strided_scans({1, 2, 17, 127, 300});
}

TEST_P(ScansAgree, OfLongSequences) {
  compare_strided_scans({512, tile_length, tile_length + 1, 3 * tile_length + 5});
}

// Rows that are read in vectors, as a model's are: other code than strided ones.
struct DenseScan {
  DenseScan(const Machine& machine, Dtype dtype, std::int64_t batch, std::int64_t length,
            std::int64_t channels)
      : x(machine.values({batch, length, channels}, -1, 1, 13, dtype)),
        gate(machine.values({batch, length, channels}, -2, 2, 14, dtype)),
        delta(machine.values({batch, length, channels}, 0.001f, 0.8f, 15, dtype)),
        a(machine.values({channels, states}, -16, -0.01f, 16)),
        b_c(machine.values({batch, length, 2 * states}, -0.2f, 1, 17)),
        d(machine.values({channels}, -0.2f, 1, 18)) {
    out.push_back(machine.values({batch, length, channels}, -1, 1, 19, dtype));
    out.push_back(machine.values({batch, channels, states}, -0.2f, 1, 20));
  }

  /// Of the first `batch` sequences, which are part of so long ones.
  void run(Machine& machine, std::int64_t batch, std::int64_t opposite_from, bool accumulate,
           std::int64_t sequence_length = 0) {
    const auto some = [&](const Tensor& all) { return all.view().slice(0, batch); };
    ops::SelectiveScanTensors scan;
    scan.x = some(x);
    if (accumulate) scan.gate = some(gate);
    scan.delta = some(delta);
    scan.a = a;
    scan.b = some(b_c).channels(0, states);
    scan.c = some(b_c).channels(states, 2 * states);
    scan.d = d;
    scan.state_in = some(out[1]);
    scan.state_out = some(out[1]);
    scan.out = some(out[0]);
    ops::selective_scan(machine.context, {Direction::left_to_right, opposite_from, sequence_length},
                        scan, accumulate);
  }

  static constexpr std::int64_t states = 16;
  Tensor x, gate, delta, a, b_c, d;
  std::vector<Tensor> out;
};

// How long the whole sequences are decides which kernels run.
constexpr std::array sequence_lengths{std::int64_t{0}, ops::endless};

using ScanShape = std::array<std::int64_t, 3>;  // batch, length, channels

class DenseScansAgree : public BackendsAgree {
 protected:
  void compare_scans(std::span<const ScanShape> shapes) {
    for (const auto& [batch, length, channels] : shapes) {
      for (const bool accumulate : {false, true}) {
        for (const std::int64_t sequence_length : sequence_lengths) {
          SCOPED_TRACE(testing::Message() << batch << " x " << length << " x " << channels << " of "
                                          << sequence_length);
          compare([&, batch = batch, length = length, channels = channels](Machine& machine) {
            DenseScan scan(machine, GetParam(), batch, length, channels);
            scan.run(machine, batch, batch / 2, accumulate, sequence_length);
            return std::move(scan.out);
          });
        }
      }
    }
  }
};

// Small enough for racecheck; the last comes back to each place in shared memory several times.
TEST_P(DenseScansAgree, OfFewChains) {
  compare_scans(std::array<ScanShape, 5>{
      {{2, 1, 16}, {2, 15, 32}, {2, 17, 64}, {2, 129, 32}, {1, tile_length + 5, 32}}});
}

TEST_P(DenseScansAgree, OfLongerAndManyChains) {
  compare_scans(std::array<ScanShape, 5>{{{2, 129, 512},
                                          {1, 3 * tile_length + 5, 64},
                                          {2, tile_length, 512},
                                          {16, 300, 1024},
                                          {40, 131, 512}}});
}

TEST_P(DenseScansAgree, HaveTheSameBitsForFewAndManyChains) {
  Machine machine(cuda_device);
  constexpr std::int64_t channels = 512;
  for (const std::int64_t length : {700, 1500}) {
    for (const std::int64_t opposite_from : {1, 0}) {
      for (const std::int64_t sequence_length : sequence_lengths) {
        SCOPED_TRACE(testing::Message() << length << " of " << sequence_length);
        DenseScan few(machine, GetParam(), 1, length, channels);
        few.run(machine, 1, opposite_from, true, sequence_length);
        for (const std::int64_t batch : {16, 40}) {
          // The first of these sequences is the one above.
          DenseScan many(machine, GetParam(), batch, length, channels);
          many.run(machine, batch, opposite_from, true, sequence_length);
          for (std::size_t i = 0; i < many.out.size(); ++i) {
            EXPECT_EQ(machine.host(many.out[i].view().slice(0, 1)), machine.host(few.out[i]));
          }
        }
      }
    }
  }
}

TEST_P(DenseScansAgree, PartsOfASequenceGiveTheBitsOfTheWhole) {
  Machine machine(cuda_device);
  constexpr std::int64_t channels = 64;
  const auto compare_parts = [&](std::int64_t length, std::int64_t sequence_length) {
    SCOPED_TRACE(testing::Message() << length << " of " << sequence_length);
    DenseScan whole(machine, GetParam(), 1, length, channels);
    DenseScan parts(machine, GetParam(), 1, length, channels);
    whole.run(machine, 1, 1, true, sequence_length);
    for (std::int64_t begin = 0; begin < length; begin += 2 * tile_length) {
      const std::int64_t end = std::min(length, begin + 2 * tile_length);
      const auto part = [&](const Tensor& all) {
        const std::int64_t width = all.view().shape()[2];
        return all.view()
            .reshape({length, width})
            .slice(begin, end)
            .reshape({1, end - begin, width});
      };
      ops::SelectiveScanTensors scan;
      scan.x = part(parts.x);
      scan.gate = part(parts.gate);
      scan.delta = part(parts.delta);
      scan.a = parts.a;
      scan.b = part(parts.b_c).channels(0, DenseScan::states);
      scan.c = part(parts.b_c).channels(DenseScan::states, 2 * DenseScan::states);
      scan.d = parts.d;
      scan.state_in = parts.out[1];
      scan.state_out = parts.out[1];
      scan.out = part(parts.out[0]);
      ops::selective_scan(machine.context, {Direction::left_to_right, 1, sequence_length}, scan,
                          true);
    }
    for (std::size_t i = 0; i < whole.out.size(); ++i) {
      EXPECT_EQ(machine.host(whole.out[i]), machine.host(parts.out[i]));
    }
  };
  for (const std::int64_t length : {3 * tile_length + 5, 6 * tile_length}) {
    compare_parts(length, length);
    compare_parts(length, ops::endless);
  }
}

TEST_P(BackendsAgree, HeadAndLogSoftmax) {
  compare([&](Machine& machine) {
    const Tensor plus = machine.values({21, 100}, -1, 1, 21, GetParam());
    const Tensor minus = machine.values({21, 100}, -1, 1, 22, GetParam());
    const Tensor weight = machine.values({50, 100}, -1, 1, 23);
    std::vector<std::int32_t> ids(50);
    for (std::int32_t i = 0; i < 50; ++i) ids[static_cast<std::size_t>(i)] = 49 - i;
    const Tensor complement = machine.integers(ids);
    std::vector<Tensor> out;
    out.emplace_back(*machine.backend, core::ElementType::f32, Shape{21, 50});
    out.emplace_back(*machine.backend, core::ElementType::f32, Shape{21, 4});
    ops::lm_head(machine.context, plus, minus, weight, complement, out[0]);
    ops::base_log_softmax(machine.context, out[0], {7, 8, 9, 10}, out[1]);
    return out;
  });
}

TEST_P(BackendsAgree, Multiply) {
  compare([&](Machine& machine) {
    const Tensor a = machine.values({1001}, -2, 2, 24, GetParam());
    std::vector<Tensor> out;
    out.push_back(machine.values({1001}, -2, 2, 25, GetParam()));
    ops::multiply(machine.context, a, out[0], out[0]);
    return out;
  });
}

TEST_P(BackendsAgree, PlaceRows) {
  for (const bool reversed : {false, true}) {
    compare([&](Machine& machine) {
      const Tensor in = machine.values({37, 33}, -2, 2, 26, GetParam());
      const Tensor residual = machine.values({37, 33}, -2, 2, 27);
      std::vector<Tensor> out;
      out.push_back(machine.values({37, 70}, -2, 2, 28));
      const TensorView whole = out[0];
      ops::place_rows(machine.context, in, {}, whole.channels(0, 33), reversed);
      ops::place_rows(machine.context, in, residual, whole.channels(37, 70), reversed);
      return out;
    });
  }
}

const auto dtypes = testing::Values(Dtype::f32, Dtype::bf16);
const auto name_of_dtype = [](const auto& test) { return std::string(dtype_name(test.param)); };
INSTANTIATE_TEST_SUITE_P(Cuda, BackendsAgree, dtypes, name_of_dtype);
INSTANTIATE_TEST_SUITE_P(Cuda, ScansAgree, dtypes, name_of_dtype);
INSTANTIATE_TEST_SUITE_P(Cuda, DenseScansAgree, dtypes, name_of_dtype);

}  // namespace
}  // namespace ssmgen::kernels
