#include <gtest/gtest.h>
#include <string>

#include "models/model_config.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::models {
namespace {

using layers::Discretization;
using layers::HippoMeasure;
using test::expect_error;

ModelConfig parse(const std::string& text) {
  return parse_model_config(base::JsonValue::parse(text, "dir/config.json"));
}

// A config with `more` (", key: value" pairs) after the required keys.
std::string text(const std::string& more = "") {
  return R"({"model_type": "s4", "d_model": 32, "n_layer": 3, "vocab_size": 12)" + more + "}";
}
S4Config s4(const std::string& more = "") {
  return std::get<S4Config>(parse(text(more)).model);
}

TEST(S4Config, DefaultsAreThoseOfThePublicImplementation) {
  const S4Config config = s4();
  EXPECT_EQ(config.d_model, 32);
  EXPECT_EQ(config.n_layer, 3);
  EXPECT_EQ(config.vocab_size, 12);
  EXPECT_EQ(config.d_state, 64);
  EXPECT_EQ(config.rank, 1);
  EXPECT_EQ(config.discretization, Discretization::bilinear);
  EXPECT_FALSE(config.bidirectional);
  EXPECT_TRUE(config.prenorm);
  EXPECT_FALSE(config.is_block());
  const ModelConfig whole = parse(text());
  EXPECT_EQ(whole.vocab_size(), 12);
  EXPECT_EQ(whole.d_model(), 32);
  EXPECT_EQ(whole.n_layer(), 3);
  EXPECT_TRUE(whole.complement_map().empty());
}

TEST(S4Config, DiagonalModelsHaveNoRankAndTakeZohUnlessTold) {
  const S4Config config = s4(R"(, "mode": "diag")");
  EXPECT_EQ(config.rank, 0);
  EXPECT_EQ(config.discretization, Discretization::zoh);
  EXPECT_EQ(s4(R"(, "mode": "diag", "disc": "bilinear")").discretization, Discretization::bilinear);
  EXPECT_EQ(s4(R"(, "rank": 2)").rank, 2);
}

TEST(S4Config, EverySwitchIsRead) {
  const S4Config config =
      s4(R"(, "bidirectional": true, "prenorm": false, "d_state": 16, "norm_epsilon": 1e-6)");
  EXPECT_TRUE(config.bidirectional);
  EXPECT_FALSE(config.prenorm);
  EXPECT_EQ(config.d_state, 16);
  EXPECT_EQ(config.norm_epsilon, 1e-6);
  EXPECT_EQ(s4(R"(, "init": "legt")").start, HippoMeasure::legt);
  EXPECT_EQ(s4(R"(, "init": "diag-inv")").start, HippoMeasure::inv);
  EXPECT_EQ(s4(R"(, "init": "diag-lin")").start, HippoMeasure::lin);
  EXPECT_EQ(s4(R"(, "init": "diag-legs")").start, HippoMeasure::legs);
}

TEST(S4Config, ABlockAloneHasNeitherLayersNorTokens) {
  const ModelConfig config = parse(R"({"model_type": "s4_block", "d_model": 16})");
  const auto& block = std::get<S4Config>(config.model);
  EXPECT_TRUE(block.is_block());
  EXPECT_EQ(block.n_layer, 1);
  EXPECT_EQ(config.vocab_size(), 0);
}

TEST(S4Config, NamesWhatItDoesNotKnow) {
  EXPECT_TRUE(parse(text()).warnings.empty());
  const ModelConfig config = parse(text(R"(, "bandlimit": 0.5)"));
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_NE(config.warnings[0].find("'bandlimit'"), std::string::npos);
}

TEST(S4Config, RefusesWhatItCannotRun) {
  expect_error([] { s4(R"(, "mode": "slow")"); }, {"mode", "\"slow\"", "\"dplr\"", "\"diag\""});
  expect_error([] { s4(R"(, "disc": "zoh")"); }, {"disc", "bilinear"});
  expect_error([] { s4(R"(, "mode": "diag", "disc": "dss")"); }, {"\"dss\"", "\"zoh\""});
  expect_error([] { s4(R"(, "activation": "relu")"); }, {"activation", "\"gelu\""});
  expect_error([] { s4(R"(, "final_act": "id")"); }, {"final_act", "\"glu\""});
  expect_error([] { s4(R"(, "d_state": 33)"); }, {"d_state", "even", "33"});
  expect_error([] { s4(R"(, "norm_epsilon": 0)"); }, {"norm_epsilon"});
  expect_error([] { parse(R"({"model_type": "s4", "d_model": 8, "n_layer": 1})"); },
               {"vocab_size"});
}

}  // namespace
}  // namespace ssmgen::models
