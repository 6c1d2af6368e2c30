// One residual stream in place of arrays of the sequence's length: the bits of the whole run,
// wherever the stream lies, whatever is read, and no more memory than was planned.
#include <filesystem>
#include <gtest/gtest.h>

#include "stream/folded_runner.hpp"
#include "tests/stream/stack_models.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::stream {
namespace {

using namespace test_stacks;

constexpr std::int64_t length = 5 * tile + 77;

class FoldedLaws : public testing::TestWithParam<std::tuple<ModelCase, Dtype, StorePlace, Device>> {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT(std::get<3>(GetParam()));
    model =
        make_network(std::get<0>(GetParam()), std::get<1>(GetParam()), 2, std::get<3>(GetParam()));
  }

  RunnerOptions whole() const { return {.chunk_bases = length, .mode = RunMode::whole}; }
  RunnerOptions folded(std::int64_t chunk) const {
    return {.chunk_bases = chunk,
            .scratch = folder.path().string(),
            .mode = RunMode::folded,
            .place = std::get<2>(GetParam())};
  }

  const test::TemporaryFolder folder;
  Network model;
  const std::vector<std::int32_t> ids = random_bases(length);
};

TEST_P(FoldedLaws, GivesTheBitsOfTheWhole) {
  const Results expected = run(model, ids, 1, whole());
  for (const std::int64_t chunk : {tile, 2 * tile, 5 * tile, length}) {
    const Results got = run(model, ids, 1, folded(chunk));
    EXPECT_EQ(got.logits, expected.logits) << "chunk " << chunk;
    EXPECT_EQ(got.hidden, expected.hidden) << "chunk " << chunk;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_P(FoldedLaws, AFewReadsGiveTheBitsOfAll) {
  const Results all = run(model, ids, 1, whole());
  const std::vector<std::vector<std::int64_t>> choices{
      {0}, {tile, tile - 1, tile}, {2 * tile + 9, 3 * tile}, {length - 1}, {3, length - 2}, {}};
  StackRunner runner(*model.stack, *model.context, folded(tile));
  for (const std::vector<std::int64_t>& positions : choices) {
    expect_few_reads(model, runner, ids, all, positions);
  }
}

// Rows of a layer and strand come in order, as those that pool them need.
TEST_P(FoldedLaws, HandsOutTheRowsOfTheWholeInOrder) {
  const models::MambaStackShape& shape = model.stack->shape;
  const auto layers = static_cast<std::size_t>(shape.n_layer + 1);
  struct Handed {
    std::vector<std::array<std::vector<float>, 2>> hidden;
    std::vector<float> log_probabilities;
    std::vector<std::vector<float>> block_inputs;
  };
  const auto hand_out = [&](const RunnerOptions& options) {
    Handed handed;
    handed.hidden.resize(layers);
    handed.block_inputs.resize(
        layers - 1, std::vector<float>(static_cast<std::size_t>(length * shape.hidden_width())));
    RunOutputs outputs;
    outputs.hidden_layers = {0, 1, 2, 3};
    outputs.base_ids = {7, 8, 9, 10};
    for (std::vector<float>& layer : handed.block_inputs) {
      outputs.block_inputs.push_back(layer.data());
    }
    outputs.on_hidden = [&](const HiddenRows& piece) {
      std::vector<float>& to =
          handed.hidden[static_cast<std::size_t>(piece.layer)][piece.minus ? 1 : 0];
      EXPECT_EQ(static_cast<std::size_t>(piece.first_row * shape.sizes.d_model), to.size());
      to.insert(to.end(), piece.values.begin(), piece.values.end());
    };
    outputs.on_base_log_probabilities = [&](std::int64_t first_row, std::span<const float> values) {
      EXPECT_EQ(static_cast<std::size_t>(first_row) * 4, handed.log_probabilities.size());
      handed.log_probabilities.insert(handed.log_probabilities.end(), values.begin(), values.end());
    };
    StackRunner(*model.stack, *model.context, options).run(ids, 1, length, outputs);
    return handed;
  };
  const Handed expected = hand_out(whole());
  const Handed got = hand_out(folded(2 * tile));
  EXPECT_EQ(got.log_probabilities.size(), static_cast<std::size_t>(length * 4));
  EXPECT_EQ(got.log_probabilities, expected.log_probabilities);
  EXPECT_EQ(got.hidden, expected.hidden);
  EXPECT_EQ(got.block_inputs, expected.block_inputs);
}

// Beside the stores a run takes what its plan says, and the next run takes nothing new.
TEST_P(FoldedLaws, TakesNoMoreMemoryThanPlanned) {
  for (const bool reads_all : {false, true}) {
    const RunnerOptions options = folded(2 * tile);
    core::Context context(*model.backend);
    StackRunner runner(*model.stack, context, options);
    std::vector<float> sink(static_cast<std::size_t>(length * model.stack->shape.vocabulary));
    const RowRead read{0, 2 * tile};
    RunOutputs outputs;
    outputs.base_ids = {7, 8, 9, 10};
    if (reads_all) {
      outputs.on_base_log_probabilities = [](std::int64_t, std::span<const float>) {};
    } else {
      outputs.reads = {&read, 1};
      outputs.logits = sink.data();
    }
    const RunPlan plan = runner.plan(length, reads_all ? length : 1);
    for (int repeat = 0; repeat < 2; ++repeat) {
      runner.run(ids, 1, length, outputs);
      const std::int64_t smallest = std::int64_t{1} << 20;
      EXPECT_LE(context.workspace().workspace_bytes(), std::max(plan.workspace_bytes, smallest));
      EXPECT_LE(runner.held_device_bytes(),
                plan.device_bytes + 2 * smallest);  // two pieces of a workspace at the least
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, FoldedLaws,
    testing::Combine(testing::ValuesIn(model_cases), testing::Values(Dtype::f32, Dtype::bf16),
                     testing::Values(StorePlace::device, StorePlace::host, StorePlace::scratch),
                     testing::ValuesIn(test::devices())),
    [](const auto& info_of) {
      return std::string(std::get<0>(info_of.param).name) + "_" +
             std::string(dtype_name(std::get<1>(info_of.param))) + "_" +
             place_name(std::get<2>(info_of.param)) + "_" +
             test::device_label(std::get<3>(info_of.param));
    });

// A run that failed leaves a runner that works.
TEST(FoldedRunner, RunsAgainAfterAnOutputThrew) {
  const Network model = make_network(model_cases[0], Dtype::f32, 2);
  const test::TemporaryFolder folder;
  const std::vector<std::int32_t> ids = random_bases(length);
  StackRunner runner(*model.stack, *model.context,
                     {.chunk_bases = tile,
                      .scratch = folder.path().string(),
                      .mode = RunMode::folded,
                      .place = StorePlace::scratch});
  RunOutputs outputs;
  outputs.base_ids = {7, 8, 9, 10};
  std::vector<float> got;
  bool throws = true;
  outputs.on_base_log_probabilities = [&](std::int64_t, std::span<const float> values) {
    if (throws) throw FormatError("enough");
    got.insert(got.end(), values.begin(), values.end());
  };
  test::expect_error<FormatError>([&] { runner.run(ids, 1, length, outputs); }, {"enough"});
  throws = false;
  runner.run(ids, 1, length, outputs);
  EXPECT_EQ(got.size(), static_cast<std::size_t>(length * 4));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace ssmgen::stream
