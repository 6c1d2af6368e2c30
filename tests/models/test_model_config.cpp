#include <cstdint>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <string>
#include <vector>

#include "models/model_config.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::models {
namespace {

using test::expect_error;

ModelConfig parse(const std::string& text) {
  return parse_model_config(base::JsonValue::parse(text, "dir/config.json"));
}

// Configs with `more` (", key: value" pairs) after the required keys.
std::string caduceus_text(const std::string& more = "") {
  return R"({"model_type": "caduceus", "d_model": 40, "n_layer": 3, "vocab_size": 12)" + more + "}";
}
std::string mamba_text(const std::string& more = "") {
  return R"({"model_type": "mamba", "hidden_size": 40, "num_hidden_layers": 3, "vocab_size": 50)" +
         more + "}";
}
std::string mamba_ssm_text(const std::string& more = "") {
  return R"({"model_type": "mamba_ssm", "d_model": 40, "n_layer": 3, "vocab_size": 50)" + more +
         "}";
}

CaduceusConfig caduceus(const std::string& more = "") {
  return std::get<CaduceusConfig>(parse(caduceus_text(more)).model);
}
MambaHfConfig mamba(const std::string& more = "") {
  return std::get<MambaHfConfig>(parse(mamba_text(more)).model);
}
MambaSsmConfig mamba_ssm(const std::string& more = "") {
  return std::get<MambaSsmConfig>(parse(mamba_ssm_text(more)).model);
}

constexpr const char* dna_map =
    R"(, "complement_map": {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 10,
       "8": 9, "9": 8, "10": 7, "11": 11})";

void expect_refused(const std::string& text, std::initializer_list<std::string_view> parts) {
  expect_error([&] { parse(text); }, {"dir/config.json"});
  expect_error([&] { parse(text); }, parts);
}

TEST(CaduceusConfig, TakesTheDefaultsOfThePublicImplementation) {
  const CaduceusConfig config = caduceus();
  EXPECT_EQ(config.d_model, 40);
  EXPECT_EQ(config.n_layer, 3);
  EXPECT_EQ(config.unpadded_vocab_size, 12);
  EXPECT_EQ(config.vocab_size, 16);
  EXPECT_EQ(config.d_inner(), 80);
  EXPECT_EQ(config.mixer.d_state, 16);
  EXPECT_EQ(config.mixer.d_conv, 4);
  EXPECT_EQ(config.mixer.expand, 2);
  EXPECT_EQ(config.mixer.dt_rank, 3);  // ceil(40 / 16)
  EXPECT_TRUE(config.mixer.conv_bias);
  EXPECT_FALSE(config.mixer.bias);
  EXPECT_TRUE(config.rms_norm);
  EXPECT_TRUE(config.residual_in_fp32);
  EXPECT_TRUE(config.fused_add_norm);
  EXPECT_EQ(config.norm_epsilon, 1e-5);
  EXPECT_TRUE(config.bidirectional);
  EXPECT_EQ(config.bidirectional_strategy, BidirectionalStrategy::add);
  EXPECT_TRUE(config.bidirectional_weight_tie);
  EXPECT_FALSE(config.rcps);
  EXPECT_TRUE(config.complement_map.empty());
}

TEST(CaduceusConfig, ReadsEveryKey) {
  const CaduceusConfig config = caduceus(
      R"(, "ssm_cfg": {"d_state": 8, "d_conv": 3, "expand": 3, "dt_rank": 5, "conv_bias": false,
      "bias": true, "dt_min": 0.001, "use_fast_path": true}, "rms_norm": false,
      "residual_in_fp32": false, "fused_add_norm": false, "pad_vocab_size_multiple": 5,
      "norm_epsilon": 1e-6, "bidirectional": false, "bidirectional_strategy": "ew_multiply",
      "bidirectional_weight_tie": false, "rcps": true)" +
      std::string(dna_map));
  EXPECT_EQ(config.vocab_size, 15);
  EXPECT_EQ(config.mixer.d_state, 8);
  EXPECT_EQ(config.mixer.d_conv, 3);
  EXPECT_EQ(config.mixer.expand, 3);
  EXPECT_EQ(config.mixer.dt_rank, 5);
  EXPECT_FALSE(config.mixer.conv_bias);
  EXPECT_TRUE(config.mixer.bias);
  EXPECT_FALSE(config.rms_norm);
  EXPECT_FALSE(config.residual_in_fp32);
  EXPECT_FALSE(config.fused_add_norm);
  EXPECT_EQ(config.norm_epsilon, 1e-6);
  EXPECT_FALSE(config.bidirectional);
  EXPECT_EQ(config.bidirectional_strategy, BidirectionalStrategy::multiply);
  EXPECT_FALSE(config.bidirectional_weight_tie);
  EXPECT_TRUE(config.rcps);
  EXPECT_EQ(config.complement_map,
            (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 10, 9, 8, 7, 11, 12, 13, 14}));
}

TEST(CaduceusConfig, NullMeansAbsent) {
  const CaduceusConfig config = caduceus(
      R"(, "ssm_cfg": null, "bidirectional_strategy": null, "complement_map": null,
      "norm_epsilon": null)");
  EXPECT_EQ(config.mixer.d_state, 16);
  EXPECT_EQ(config.bidirectional_strategy, BidirectionalStrategy::add);
}

TEST(CaduceusConfig, ErrorsNameKeyAndValue) {
  expect_refused(R"({"model_type": "caduceus", "n_layer": 3, "vocab_size": 12})",
                 {"'d_model' is missing"});
  expect_refused(R"({"model_type": "caduceus", "d_model": 8, "vocab_size": 12})",
                 {"'n_layer' is missing"});
  expect_refused(R"({"model_type": "caduceus", "d_model": 8, "n_layer": 3})",
                 {"'vocab_size' is missing"});
  expect_refused(R"({"model_type": "caduceus", "d_model": 0, "n_layer": 3, "vocab_size": 12})",
                 {"'d_model'", "from 1", "found 0"});
  expect_refused(R"({"model_type": "caduceus", "d_model": 8, "n_layer": 99999, "vocab_size": 12})",
                 {"'n_layer'", "99999"});
  expect_refused(R"({"model_type": "caduceus", "d_model": "8", "n_layer": 3, "vocab_size": 12})",
                 {"'d_model'", "an integer", "\"8\""});
  expect_refused(caduceus_text(R"(, "rms_norm": 1)"), {"'rms_norm'", "true or false", "1"});
  expect_refused(caduceus_text(R"(, "norm_epsilon": 0)"), {"'norm_epsilon'", "0"});
  expect_refused(caduceus_text(R"(, "norm_epsilon": -1e-5)"), {"'norm_epsilon'", "-1e-05"});
  expect_refused(caduceus_text(R"(, "norm_epsilon": "x")"), {"'norm_epsilon'", "a number"});
  expect_refused(caduceus_text(R"(, "pad_vocab_size_multiple": 0)"), {"pad_vocab_size_multiple"});
  expect_refused(caduceus_text(R"(, "bidirectional_strategy": "mean")"),
                 {"'bidirectional_strategy'", "ew_multiply", "\"mean\""});
  expect_refused(caduceus_text(R"(, "ssm_cfg": [])"), {"'ssm_cfg'", "an object"});
  expect_refused(caduceus_text(R"(, "ssm_cfg": {"d_state": 0})"), {"'ssm_cfg.d_state'", "0"});
  expect_refused(caduceus_text(R"(, "ssm_cfg": {"d_conv": 17})"), {"'ssm_cfg.d_conv'", "17"});
  expect_refused(caduceus_text(R"(, "ssm_cfg": {"expand": 1.5})"), {"'ssm_cfg.expand'", "1.5"});
  expect_refused(caduceus_text(R"(, "ssm_cfg": {"dt_rank": "big"})"),
                 {"'ssm_cfg.dt_rank'", "\"auto\"", "\"big\""});
  expect_refused(caduceus_text(R"(, "ssm_cfg": {"dt_rank": 0})"), {"'ssm_cfg.dt_rank'", "0"});
  expect_refused(caduceus_text(R"(, "ssm_cfg": {"bias": "no"})"), {"'ssm_cfg.bias'", "\"no\""});
}

TEST(CaduceusConfig, UnknownMixerKeysAreWarnedOf) {
  const ModelConfig config =
      parse(caduceus_text(R"(, "ssm_cfg": {"d_state": 16, "dt_limit": 1, "dt_rank": "auto"})"));
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_NE(config.warnings[0].find("ssm_cfg.dt_limit"), std::string::npos);
  EXPECT_NE(config.warnings[0].find("dir/config.json"), std::string::npos);
}

TEST(CaduceusConfig, TheComplementMapIsAnInvolutionOfTheVocabulary) {
  const auto map = [](const std::string& members) {
    return caduceus_text(R"(, "rcps": true, "complement_map": {)" + members + "}");
  };
  // PlantCaduceus: eight tokens, no padding to speak of.
  const auto plant = std::get<CaduceusConfig>(
      parse(R"({"model_type": "caduceus", "d_model": 8, "n_layer": 1, "vocab_size": 8, "rcps": true,
            "complement_map": {"0": 0, "1": 1, "2": 2, "3": 6, "4": 5, "5": 4, "6": 3, "7": 7}})")
          .model);
  EXPECT_EQ(plant.complement_map, (std::vector<std::int32_t>{0, 1, 2, 6, 5, 4, 3, 7}));

  expect_refused(caduceus_text(R"(, "rcps": true)"), {"'complement_map' is missing"});
  expect_refused(map(R"("0": 1, "1": 2, "2": 0)"), {"'complement_map'", "0 maps to 1", "1 to 2"});
  expect_refused(map(R"("0": 1)"), {"0 maps to 1", "1 to 1"});
  expect_refused(map(R"("0": 0, "2": 2)"), {"token id 1 is missing"});
  expect_refused(map(R"("0": 16)"), {"'complement_map.0'", "from 0 to 15", "16"});
  expect_refused(map(R"("0": -1)"), {"'complement_map.0'", "-1"});
  expect_refused(map(R"("0": "0")"), {"'complement_map.0'", "an integer"});
  for (const std::string key : {"16", "-1", "A", "", "00", "0 ", "99999999999"}) {
    expect_refused(map("\"" + key + "\": 0"), {"'complement_map'", "\"" + key + "\""});
  }
  expect_refused(caduceus_text(R"(, "complement_map": [0, 1])"), {"'complement_map'", "an object"});
}

TEST(MambaHfConfig, TakesTheDefaultsOfThePublicImplementation) {
  const MambaHfConfig config = mamba();
  EXPECT_EQ(config.d_model, 40);
  EXPECT_EQ(config.n_layer, 3);
  EXPECT_EQ(config.vocab_size, 50);  // not padded
  EXPECT_EQ(config.d_inner(), 80);
  EXPECT_EQ(config.mixer.d_state, 16);
  EXPECT_EQ(config.mixer.d_conv, 4);
  EXPECT_EQ(config.mixer.dt_rank, 3);
  EXPECT_TRUE(config.mixer.conv_bias);
  EXPECT_FALSE(config.mixer.bias);
  EXPECT_EQ(config.norm_epsilon, 1e-5);
  EXPECT_TRUE(config.residual_in_fp32);
  EXPECT_TRUE(config.tie_embeddings);
}

TEST(MambaHfConfig, ReadsEveryKey) {
  const MambaHfConfig config =
      mamba(R"(, "state_size": 8, "conv_kernel": 2, "expand": 4, "time_step_rank": 7,
            "use_conv_bias": false, "use_bias": true, "layer_norm_epsilon": 1e-6,
            "residual_in_fp32": false, "tie_word_embeddings": false, "hidden_act": "silu",
            "intermediate_size": 160, "pad_vocab_size_multiple": 8)");
  EXPECT_EQ(config.vocab_size, 50);
  EXPECT_EQ(config.mixer.d_state, 8);
  EXPECT_EQ(config.mixer.d_conv, 2);
  EXPECT_EQ(config.mixer.expand, 4);
  EXPECT_EQ(config.mixer.dt_rank, 7);
  EXPECT_FALSE(config.mixer.conv_bias);
  EXPECT_TRUE(config.mixer.bias);
  EXPECT_EQ(config.norm_epsilon, 1e-6);
  EXPECT_FALSE(config.residual_in_fp32);
  EXPECT_FALSE(config.tie_embeddings);
  EXPECT_EQ(mamba(R"(, "time_step_rank": "auto")").mixer.dt_rank, 3);
}

TEST(MambaHfConfig, ErrorsNameKeyAndValue) {
  expect_refused(R"({"model_type": "mamba", "num_hidden_layers": 3, "vocab_size": 5})",
                 {"'hidden_size' is missing"});
  expect_refused(mamba_text(R"(, "hidden_act": "gelu")"), {"'hidden_act'", "\"gelu\"", "silu"});
  expect_refused(mamba_text(R"(, "intermediate_size": 81)"), {"'intermediate_size'", "80", "81"});
  expect_refused(mamba_text(R"(, "time_step_rank": 1.5)"), {"'time_step_rank'", "1.5"});
  expect_refused(mamba_text(R"(, "layer_norm_epsilon": 2)"), {"'layer_norm_epsilon'", "2"});
}

TEST(MambaSsmConfig, TakesTheDefaultsOfThePublicImplementation) {
  const MambaSsmConfig config = mamba_ssm();
  EXPECT_EQ(config.unpadded_vocab_size, 50);
  EXPECT_EQ(config.vocab_size, 56);
  EXPECT_EQ(config.d_inner(), 80);
  EXPECT_EQ(config.mixer.dt_rank, 3);
  EXPECT_TRUE(config.rms_norm);
  EXPECT_TRUE(config.residual_in_fp32);
  EXPECT_TRUE(config.fused_add_norm);
  EXPECT_TRUE(config.tie_embeddings);
  EXPECT_EQ(config.norm_epsilon, 1e-5);
}

TEST(MambaSsmConfig, ReadsEveryKey) {
  const ModelConfig config = parse(mamba_ssm_text(
      R"(, "ssm_cfg": {"layer": "Mamba1", "d_state": 32}, "rms_norm": false,
      "residual_in_fp32": false, "fused_add_norm": false, "pad_vocab_size_multiple": 1,
      "tie_embeddings": false, "attn_layer_idx": [], "attn_cfg": {}, "d_intermediate": 0)"));
  EXPECT_TRUE(config.warnings.empty());
  const auto& model = std::get<MambaSsmConfig>(config.model);
  EXPECT_EQ(model.vocab_size, 50);
  EXPECT_EQ(model.mixer.d_state, 32);
  EXPECT_FALSE(model.rms_norm);
  EXPECT_FALSE(model.residual_in_fp32);
  EXPECT_FALSE(model.fused_add_norm);
  EXPECT_FALSE(model.tie_embeddings);
}

TEST(MambaSsmConfig, RefusesOtherLayersByName) {
  expect_refused(mamba_ssm_text(R"(, "ssm_cfg": {"layer": "Mamba2"})"),
                 {"'ssm_cfg.layer'", "\"Mamba2\"", "Mamba1"});
  expect_refused(mamba_ssm_text(R"(, "attn_layer_idx": [1, 3])"), {"'attn_layer_idx'", "[1,3]"});
  expect_refused(mamba_ssm_text(R"(, "d_intermediate": 128)"), {"'d_intermediate'", "128"});
}

TEST(ModelConfig, IsChosenByModelType) {
  EXPECT_EQ(parse(caduceus_text()).model_type, "caduceus");
  EXPECT_EQ(parse(mamba_text()).model_type, "mamba");
  EXPECT_EQ(parse(mamba_ssm_text()).model_type, "mamba_ssm");
  EXPECT_EQ(parse(caduceus_text()).vocab_size(), 16);
  EXPECT_EQ(parse(mamba_text()).d_model(), 40);
  EXPECT_EQ(parse(mamba_ssm_text()).n_layer(), 3);
  EXPECT_EQ(parse(caduceus_text(dna_map)).complement_map().size(), 16u);
  EXPECT_TRUE(parse(mamba_text()).complement_map().empty());
  expect_refused(R"({"model_type": "bert"})",
                 {"'model_type'", "\"bert\"", supported_model_types()});
  expect_refused(R"({"model_type": 1})", {"'model_type'", "a string"});
  expect_refused("[]", {"an object"});
}

TEST(ModelConfig, APublishedStateSpacesConfigNeedsNoModelType) {
  const ModelConfig config = parse(
      R"({"d_model": 768, "n_layer": 24, "vocab_size": 50277, "ssm_cfg": {}, "rms_norm": true,
      "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 8})");
  EXPECT_EQ(config.model_type, "mamba_ssm");
  EXPECT_EQ(config.vocab_size(), 50280);
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_NE(config.warnings[0].find("mamba_ssm"), std::string::npos);
  expect_refused(R"({"d_model": 768, "n_layer": 24})",
                 {"'model_type' is missing", supported_model_types()});
  expect_refused(R"({"d_model": 8, "n_layer": 2, "vocab_size": 12, "rcps": true})",
                 {"'model_type' is missing"});
}

}  // namespace
}  // namespace ssmgen::models
