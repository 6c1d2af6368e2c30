#include <gtest/gtest.h>

#include "tasks/score_settings.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::tasks {
namespace {

ModelInfo masked_model() {
  ModelInfo info;
  info.name = "m";
  info.is_dna = true;
  info.has_mask_token = true;
  info.is_bidirectional = true;
  return info;
}

ModelInfo causal_model() {
  ModelInfo info = masked_model();
  info.is_bidirectional = false;
  info.is_causal = true;
  return info;
}

TEST(ScoreSettings, DefaultsFollowTheModel) {
  const ScoreSettings masked = resolve_score_settings(masked_model(), {});
  EXPECT_EQ(masked.modes, std::vector{ScoreMode::masked});
  EXPECT_EQ(masked.window_bases, 512);
  EXPECT_TRUE(masked.read_plus);
  EXPECT_FALSE(masked.read_minus);
  EXPECT_EQ(masked.tag(ScoreMode::masked), "SSM_MASKED");

  const ScoreSettings causal = resolve_score_settings(causal_model(), {});
  EXPECT_EQ(causal.modes, std::vector{ScoreMode::causal});
  EXPECT_TRUE(causal.read_minus);
  EXPECT_EQ(causal.strand_name, "mean");
}

TEST(ScoreSettings, TheWindowIsTheModelsMaximumUpToItsCap) {
  ModelInfo model = masked_model();
  model.max_length = 1000;
  EXPECT_EQ(resolve_score_settings(model, {}).window_bases, 1000);
  model.max_length = 131072;
  EXPECT_EQ(resolve_score_settings(model, {}).window_bases, 8192);
  ScoreOptions options;
  options.window_bases = 300;
  EXPECT_EQ(resolve_score_settings(model, options).window_bases, 300);
}

TEST(ScoreSettings, AnEquivariantModelReadsOnePass) {
  ModelInfo model = masked_model();
  model.is_reverse_complement_equivariant = true;
  ScoreOptions options;
  options.strand = StrandChoice::mean;
  const ScoreSettings settings = resolve_score_settings(model, options);
  EXPECT_TRUE(settings.read_plus);
  EXPECT_FALSE(settings.read_minus);
}

TEST(ScoreSettings, ModesThatDoNotFitTheModelAreRefused) {
  ScoreOptions causal;
  causal.modes = {ScoreMode::causal};
  test::expect_error<InvalidArgument>([&] { resolve_score_settings(masked_model(), causal); },
                                      {"causal", "masked"});
  ScoreOptions masked;
  masked.modes = {ScoreMode::masked};
  test::expect_error<InvalidArgument>([&] { resolve_score_settings(causal_model(), masked); },
                                      {"--score causal"});
  ModelInfo text = masked_model();
  text.is_dna = false;
  text.vocabulary_note = "tokens are words";
  test::expect_error<InvalidArgument>([&] { resolve_score_settings(text, {}); },
                                      {"tokens are words"});
}

TEST(ScoreSettings, WordsThatAreNotKnownAreNamed) {
  test::expect_error<InvalidArgument>([] { parse_score_mode("maskd"); }, {"maskd", "masked"});
  test::expect_error<InvalidArgument>([] { parse_window_edge("cut"); }, {"cut", "pad"});
  test::expect_error<InvalidArgument>([] { parse_strand_choice("both"); }, {"both", "mean"});
  test::expect_error<InvalidArgument>([] { parse_check_ref("x"); }, {"x", "warn"});
  test::expect_error<InvalidArgument>([] { resolve_score_settings(masked_model(), {}, "1 bad"); },
                                      {"1 bad"});
}

}  // namespace
}  // namespace ssmgen::tasks
