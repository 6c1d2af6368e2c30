#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <ssmgen/embed.hpp>

#include "tests/support/expect_error.hpp"

namespace ssmgen {
namespace {

const std::string demo_model =
    std::string(SSMGEN_SOURCE_DIR) + "/test_data/models/ecoli-caduceus-ps";
const std::string causal_model =
    std::string(SSMGEN_SOURCE_DIR) + "/test_data/golden/caduceus_causal";
const std::vector<std::string> sequences{"ATGAAACGCATTAGCACCACCATTACCACCACC", "acgtnACGT", "",
                                         "TTTT"};

std::vector<float> rows_of(const EmbedArray& array, std::size_t sequence, std::int64_t layer = 0) {
  const auto at = [&](std::int64_t row) {
    return array.values.begin() + (layer * array.rows + row) * array.channels;
  };
  return {at(array.first_rows[sequence]), at(array.first_rows[sequence + 1])};
}

// Of a two-strand model the second half of a row is the minus strand's, channels turned round.
TEST(EmbedSequences, GivesTheRowsOfTheForwardPass) {
  const Model model = Model::load(demo_model);
  ForwardRequest request;
  request.logits = false;
  request.last_hidden_state = true;
  request.block_inputs = true;
  EmbedSettings settings;
  settings.layer = "all";
  settings.strand = EmbedStrand::concat;
  const EmbedArray array = embed_sequences(model, sequences, settings);
  EXPECT_EQ(array.layers, 7);
  EXPECT_EQ(array.channels, 256);
  EXPECT_EQ(array.first_rows, (std::vector<std::int64_t>{0, 33, 42, 42, 46}));
  for (const std::size_t number : {0u, 1u, 3u}) {
    const auto length = static_cast<std::int64_t>(sequences[number].size());
    ForwardResult result = model.forward(model.encode(sequences[number]), 1, length, request);
    result.block_inputs.push_back(result.last_hidden_state);
    for (std::size_t layer = 0; layer < 7; ++layer) {
      std::vector<float>& expected = result.block_inputs[layer];
      for (std::int64_t row = 0; row < length; ++row) {
        std::reverse(expected.begin() + row * 256 + 128, expected.begin() + (row + 1) * 256);
      }
      EXPECT_EQ(rows_of(array, number, static_cast<std::int64_t>(layer)), expected);
    }
  }
}

TEST(EmbedSequences, ReadsTheMinusStrandOfAOneStrandModelFromItsOwnEnd) {
  const Model model = Model::load(causal_model);
  const std::string bases = "ATGAAACGCATTAGC";
  const std::string complement = "GCTAATGCGTTTCAT";
  EmbedSettings settings;
  const EmbedArray plus = embed_sequences(model, std::vector{complement}, settings);
  settings.strand = EmbedStrand::minus;
  const EmbedArray minus = embed_sequences(model, std::vector{bases}, settings);
  for (std::int64_t row = 0; row < 15; ++row) {
    for (std::int64_t i = 0; i < plus.channels; ++i) {
      EXPECT_EQ(minus.values[static_cast<std::size_t>(row * plus.channels + i)],
                plus.values[static_cast<std::size_t>((14 - row) * plus.channels + i)]);
    }
  }
}

TEST(EmbedSequences, PoolsEachSequenceByItself) {
  const Model model = Model::load(demo_model);
  EmbedSettings settings;
  const EmbedArray bases = embed_sequences(model, sequences, settings);
  settings.pooling = parse_embed_pooling("mean");
  const EmbedArray pooled = embed_sequences(model, sequences, settings);
  EXPECT_EQ(pooled.rows, 4);
  EXPECT_EQ(pooled.channels, 128);
  for (const std::size_t number : {0u, 1u, 3u}) {
    const std::vector<float> rows = rows_of(bases, number);
    const std::vector<float> mean = rows_of(pooled, number);
    for (std::size_t channel = 0; channel < 128; ++channel) {
      double sum = 0;
      for (std::size_t at = channel; at < rows.size(); at += 128) sum += rows[at];
      const double expected = sum / (static_cast<double>(rows.size()) / 128);
      EXPECT_FLOAT_EQ(mean[channel], static_cast<float>(expected));
    }
  }
  const std::vector<float> of_nothing = rows_of(pooled, 2);
  EXPECT_TRUE(std::all_of(of_nothing.begin(), of_nothing.end(),
                          [](float value) { return std::isnan(value); }));
}

TEST(EmbedSequences, TellsHowFarItIsAndStops) {
  const Model model = Model::load(causal_model);
  EmbedSettings settings;
  settings.pooling = parse_embed_pooling("mean");
  settings.batch_windows = 1;
  std::vector<std::int64_t> told;
  embed_sequences(model, sequences, settings, [&](const EmbedProgress& progress) {
    EXPECT_EQ(progress.bases_total, 46);
    told.push_back(progress.bases);
  });
  EXPECT_EQ(told, (std::vector<std::int64_t>{33, 42, 46}));
  test::expect_error<DeviceError>(
      [&] {
        embed_sequences(model, sequences, settings,
                        [](const EmbedProgress&) { throw DeviceError("enough"); });
      },
      {"enough"});
}

TEST(EmbedSequences, TakesNoSequencesToo) {
  const Model model = Model::load(causal_model);
  const EmbedArray array = embed_sequences(model, {});
  EXPECT_EQ(array.rows, 0);
  EXPECT_EQ(array.first_rows, (std::vector<std::int64_t>{0}));
  EXPECT_TRUE(array.values.empty());
}

}  // namespace
}  // namespace ssmgen
