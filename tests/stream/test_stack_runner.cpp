// The laws of a streaming model: chunked equals whole, groups and threads change no bit, the
// reverse complement commutes for the models that promise it.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>

#include "tests/stream/stack_models.hpp"
#include "tests/support/model_cases.hpp"
#include "tests/support/tolerance.hpp"

namespace ssmgen::stream {
namespace {

using namespace test_stacks;

class StackRunnerLaws : public testing::TestWithParam<std::tuple<ModelCase, Dtype, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<2>(GetParam())); }

  Network network(int threads = 2) const {
    return make_network(std::get<0>(GetParam()), std::get<1>(GetParam()), threads,
                        std::get<2>(GetParam()));
  }
};

TEST_P(StackRunnerLaws, ChunkedEqualsWholeBitForBit) {
  const Network model = network();
  const std::vector<std::int32_t> ids = random_bases(3 * tile + 77);
  const Results whole = run(model, ids, 1, {.chunk_bases = 4 * tile, .group_rows = 0});
  ASSERT_TRUE(std::all_of(whole.logits.begin(), whole.logits.end(),
                          [](float value) { return std::isfinite(value); }));
  for (const std::int64_t chunk : {tile, 2 * tile, 3 * tile}) {
    const Results chunked = run(model, ids, 1, {.chunk_bases = chunk, .group_rows = 0});
    EXPECT_EQ(chunked.logits, whole.logits) << "chunk " << chunk;
    EXPECT_EQ(chunked.hidden, whole.hidden) << "chunk " << chunk;
  }
}

// The last block leaves out the chunks on which no read depends.
TEST_P(StackRunnerLaws, AFewReadsGiveTheBitsOfAll) {
  const Network model = network();
  const std::int64_t length = 3 * tile + 77;
  const std::vector<std::int32_t> ids = random_bases(length);
  const RunnerOptions options{.chunk_bases = tile, .group_rows = 0};
  const Results all = run(model, ids, 1, options);
  const std::vector<std::vector<std::int64_t>> choices{
      {0}, {tile - 1, tile}, {tile + 5, tile + 9}, {length - 1}, {3, length - 2}};
  for (const std::vector<std::int64_t>& positions : choices) {
    StackRunner runner(*model.stack, *model.context, options);
    expect_few_reads(model, runner, ids, all, positions);
  }
}

// The last block is made of the positions between the first and the last read alone, where those
// are few: of windows on the CPU, between multiples of a tile elsewhere.
TEST_P(StackRunnerLaws, WindowsOfWhichAFewPositionsAreReadGiveTheBitsOfAll) {
  const Network model = network();
  constexpr std::int64_t windows = 3;
  for (const std::int64_t length :
       {std::int64_t{1}, std::int64_t{2}, std::int64_t{150}, 3 * tile}) {
    const std::vector<std::int32_t> ids = random_bases(windows * length);
    const Results all = run(model, ids, windows, {.chunk_bases = 0, .group_rows = 0});
    for (const std::int64_t middle : {std::int64_t{0}, length / 3, length / 2, length - 1}) {
      // Nothing of the second window.
      const std::vector<RowRead> reads{
          {0, middle}, {2, std::min(middle + 2, length - 1)}, {2, middle}};
      StackRunner runner(*model.stack, *model.context, {});
      expect_reads(model, runner, ids, windows, all, reads);
    }
  }
}

// Both sweeps at once, the sequences cut the same from either end: at any position where nothing
// else cuts them.
TEST_P(StackRunnerLaws, PiecesGiveTheBitsOfTheWhole) {
  const Network model = network();
  const auto& [model_case, dtype, device] = GetParam();
  const bool is_uncut = device.kind == Device::Kind::cuda && dtype == Dtype::bf16 &&
                        model.stack->shape.sizes.dt_rank % 4 == 0;
  const std::int64_t width = model.stack->shape.hidden_width();
  for (const auto& [batch, length, unit] : {std::array<std::int64_t, 3>{1, 4 * tile, tile},
                                            {3, 5 * tile, tile},
                                            {2, 3 * tile + 77, 16}}) {
    if (unit < tile && !is_uncut) continue;
    SCOPED_TRACE(testing::Message() << batch << " x " << length);
    const std::vector<std::int32_t> ids = random_bases(batch * length);
    const RunnerOptions in_one{.chunk_bases = length, .group_rows = 1 << 20};
    RunnerOptions in_pieces = in_one;
    in_pieces.piece_unit = unit;
    const Results expected = run(model, ids, batch, in_one);
    const Results got = run(model, ids, batch, in_pieces);
    EXPECT_EQ(got.logits, expected.logits);
    EXPECT_EQ(got.hidden, expected.hidden);

    const auto block_inputs = [&](const RunnerOptions& options) {
      const std::int64_t n_layer = model.stack->shape.n_layer;
      std::vector<float> rows(static_cast<std::size_t>(n_layer * batch * length * width));
      RunOutputs outputs;
      for (std::int64_t layer = 0; layer < n_layer; ++layer) {
        outputs.block_inputs.push_back(rows.data() + layer * batch * length * width);
      }
      StackRunner(*model.stack, *model.context, options).run(ids, batch, length, outputs);
      return rows;
    };
    EXPECT_EQ(block_inputs(in_pieces), block_inputs(in_one));

    // Pieces that nothing read depends on are left out.
    for (const std::int64_t position : {std::int64_t{0}, length / 2, length - 1}) {
      std::vector<RowRead> reads;
      for (std::int64_t i = 0; i < batch; ++i) reads.push_back({i, position});
      StackRunner runner(*model.stack, *model.context, in_pieces);
      expect_reads(model, runner, ids, batch, expected, reads);
    }
  }
}

// Of the ways that are not folded, whose test is beside it.
TEST_P(StackRunnerLaws, TakesNoMoreMemoryThanPlanned) {
  const Network model = network();
  const std::int64_t length = 5 * tile + 77;
  const std::vector<std::int32_t> ids = random_bases(length);
  for (const RunMode mode : {RunMode::kept, RunMode::chunks}) {
    if (mode == RunMode::chunks && !model.stack->shape.is_causal()) continue;
    core::Context context(*model.backend);
    StackRunner runner(*model.stack, context, {.chunk_bases = 2 * tile, .mode = mode});
    const RunPlan plan = runner.plan(length, length);
    RunOutputs outputs;
    outputs.base_ids = {7, 8, 9, 10};
    outputs.on_base_log_probabilities = [](std::int64_t, std::span<const float>) {};
    runner.run(ids, 1, length, outputs);
    const std::int64_t smallest = std::int64_t{1} << 20;
    EXPECT_LE(context.workspace().workspace_bytes(), std::max(plan.workspace_bytes, smallest));
    EXPECT_LE(runner.held_device_bytes(),
              std::max(plan.workspace_bytes, smallest) + std::max(plan.side_bytes, smallest));
  }
}

TEST_P(StackRunnerLaws, PiecesTakeNoMoreMemoryThanPlanned) {
  const Network model = network();
  const std::int64_t length = 5 * tile;
  core::Context context(*model.backend);
  StackRunner runner(*model.stack, context, {.chunk_bases = length, .piece_unit = tile});
  const RunPlan plan = runner.plan(length, length);
  EXPECT_EQ(plan.mode, RunMode::whole);
  context.workspace().reserve(plan.device_bytes);
  const std::int64_t reserved = context.workspace().workspace_bytes();
  RunOutputs outputs;
  outputs.base_ids = {7, 8, 9, 10};
  outputs.on_base_log_probabilities = [](std::int64_t, std::span<const float>) {};
  runner.run(random_bases(length), 1, length, outputs);
  EXPECT_EQ(context.workspace().workspace_bytes(), reserved);
}

TEST_P(StackRunnerLaws, GroupsAndThreadsChangeNoBit) {
  const std::vector<std::int32_t> ids = random_bases(7 * 61);
  const Results expected = run(network(), ids, 7, {.chunk_bases = 0, .group_rows = 1 << 20});
  for (const std::int64_t rows : {1, 130, 300}) {
    EXPECT_EQ(run(network(), ids, 7, {.chunk_bases = 0, .group_rows = rows}).logits,
              expected.logits);
  }
  EXPECT_EQ(run(network(1), ids, 7, {}).logits, expected.logits);
  const std::vector<std::int32_t> last(ids.end() - 61, ids.end());
  const Results alone = run(network(), last, 1, {});
  EXPECT_TRUE(std::equal(alone.logits.begin(), alone.logits.end(),
                         expected.logits.end() - static_cast<std::ptrdiff_t>(alone.logits.size())));
}

TEST_P(StackRunnerLaws, ReverseComplementCommutes) {
  const Network model = network();
  if (model.stack->shape.strands != 2) GTEST_SKIP() << "one strand promises no equivariance";
  const std::vector<std::int32_t> ids = random_bases(200);
  std::vector<std::int32_t> other(ids.rbegin(), ids.rend());
  const auto complement_id = [](std::int32_t id) { return id >= 7 && id <= 10 ? 17 - id : id; };
  std::transform(other.begin(), other.end(), other.begin(), complement_id);
  const Results plus = run(model, ids, 1, {});
  const Results minus = run(model, other, 1, {});
  double difference = 0;
  double norm = 0;
  for (std::int32_t t = 0; t < 200; ++t) {
    for (std::int32_t v = 0; v < 16; ++v) {
      const double a = plus.logits[static_cast<std::size_t>(t * 16 + v)];
      const double b = minus.logits[static_cast<std::size_t>((199 - t) * 16 + complement_id(v))];
      difference += (a - b) * (a - b);
      norm += a * a;
    }
  }
  EXPECT_GT(norm, 0);
  // A back end may cut both strands at the same positions, and so from other ends.
  EXPECT_LE(std::sqrt(difference / norm), test::tolerance(std::get<1>(GetParam())));
}

TEST_P(StackRunnerLaws, CausalModelsDoNotSeeWhatFollows) {
  const Network model = network();
  const std::vector<std::int32_t> ids = random_bases(100);
  std::vector<std::int32_t> changed = ids;
  changed.back() = changed.back() == 7 ? 8 : 7;
  const Results before = run(model, ids, 1, {});
  const Results after = run(model, changed, 1, {});
  const bool prefix_is_equal =
      std::equal(before.logits.begin(), before.logits.begin() + 99 * 16, after.logits.begin());
  EXPECT_EQ(prefix_is_equal, model.stack->shape.is_causal());
}

// What is handed out in pieces is what the arrays get, the minus strand's channels turned back.
TEST_P(StackRunnerLaws, HandsOutTheRowsThatTheArraysGet) {
  const Network model = network();
  const models::MambaStackShape& shape = model.stack->shape;
  const std::int64_t width = shape.hidden_width();
  const std::int64_t channels = shape.sizes.d_model;
  for (const auto& [batch, length] :
       {std::pair<std::int64_t, std::int64_t>{3, 70}, {1, tile + 9}}) {
    const std::vector<std::int32_t> ids = random_bases(batch * length);
    const RunnerOptions options{.chunk_bases = tile, .group_rows = 160};
    const std::int64_t rows = batch * length;
    std::vector<std::vector<float>> expected(static_cast<std::size_t>(shape.n_layer + 1));
    RunOutputs arrays;
    for (std::vector<float>& layer : expected) {
      layer.resize(static_cast<std::size_t>(rows * width));
      if (&layer != &expected.back()) arrays.block_inputs.push_back(layer.data());
    }
    arrays.last_hidden_state = expected.back().data();
    std::vector<RowRead> reads;
    for (std::int64_t i = 0; i < rows; ++i) reads.push_back({i / length, i % length});
    std::vector<float> log_probabilities(static_cast<std::size_t>(rows * 4));
    arrays.reads = reads;
    arrays.base_log_probabilities = log_probabilities.data();
    arrays.base_ids = {7, 8, 9, 10};
    StackRunner runner(*model.stack, *model.context, options);
    runner.run(ids, batch, length, arrays);

    std::vector<std::vector<float>> got(expected.size());
    for (std::vector<float>& layer : got) layer.resize(static_cast<std::size_t>(rows * width));
    std::vector<float> got_probabilities;
    RunOutputs pieces;
    pieces.hidden_layers = {0, 2, 3};
    pieces.on_hidden = [&](const HiddenRows& piece) {
      float* to = got[static_cast<std::size_t>(piece.layer)].data() + piece.first_row * width;
      for (const float* from = piece.values.data();
           from < piece.values.data() + piece.values.size(); from += channels, to += width) {
        if (piece.minus) {
          std::reverse_copy(from, from + channels, to + channels);
        } else {
          std::copy(from, from + channels, to);
        }
      }
    };
    pieces.base_ids = arrays.base_ids;
    pieces.on_base_log_probabilities = [&](std::int64_t first_row, std::span<const float> values) {
      EXPECT_EQ(static_cast<std::size_t>(first_row) * 4, got_probabilities.size());
      got_probabilities.insert(got_probabilities.end(), values.begin(), values.end());
    };
    runner.run(ids, batch, length, pieces);
    for (const std::size_t layer : {0u, 2u, 3u}) EXPECT_EQ(got[layer], expected[layer]) << layer;
    EXPECT_EQ(got[1], std::vector<float>(got[1].size()));
    EXPECT_EQ(got_probabilities, log_probabilities);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, StackRunnerLaws,
                         testing::Combine(testing::ValuesIn(model_cases),
                                          testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& one) { return test::case_label(one); });

TEST(StackRunner, RefusesIdsAndReadsOutsideTheirRange) {
  const Network model = make_network(model_cases[0], Dtype::f32, 1);
  StackRunner runner(*model.stack, *model.context, {});
  const std::vector<std::int32_t> bad{7, 16};
  EXPECT_THROW(runner.run(bad, 1, 2, {}), InvalidArgument);
  const std::vector<std::int32_t> good{7, 8};
  EXPECT_THROW(runner.run(good, 1, 3, {}), InvalidArgument);
  const std::vector<RowRead> reads{{0, 2}};
  RunOutputs outputs;
  outputs.reads = reads;
  EXPECT_THROW(runner.run(good, 1, 2, outputs), InvalidArgument);
}

}  // namespace
}  // namespace ssmgen::stream
