#include <algorithm>
#include <gtest/gtest.h>
#include <ssmgen/model.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen {
namespace {

const std::string demo_model =
    std::string(SSMGEN_SOURCE_DIR) + "/test_data/models/ecoli-caduceus-ps";
const std::string causal_model =
    std::string(SSMGEN_SOURCE_DIR) + "/test_data/golden/caduceus_causal";

TEST(Model, TellsWhatTheCheckpointHolds) {
  const ModelInfo info = describe_model(demo_model);
  EXPECT_EQ(info.name, "ecoli-caduceus-ps");
  EXPECT_EQ(info.model_type, "caduceus");
  EXPECT_EQ(info.d_model, 128);
  EXPECT_EQ(info.n_layer, 6);
  EXPECT_EQ(info.d_inner, 256);
  EXPECT_EQ(info.dt_rank, 8);
  EXPECT_EQ(info.hidden_width, 256);
  EXPECT_TRUE(info.is_bidirectional);
  EXPECT_FALSE(info.is_causal);
  EXPECT_TRUE(info.is_reverse_complement_equivariant);
  EXPECT_TRUE(info.is_dna);
  EXPECT_TRUE(info.has_mask_token);
  EXPECT_TRUE(info.missing.empty());
  EXPECT_TRUE(info.unused.empty());
  EXPECT_FALSE(info.tied.empty());
  EXPECT_TRUE(describe_model(causal_model).is_causal);
}

TEST(Model, ForwardGivesTheShapesItPromises) {
  const Model model = Model::load(demo_model);
  const std::vector<std::int32_t> ids = model.encode("ACGTNacgtnRYKM");
  EXPECT_EQ(ids, (std::vector<std::int32_t>{7, 8, 9, 10, 11, 7, 8, 9, 10, 11, 6, 6, 6, 6}));
  ForwardRequest request;
  request.last_hidden_state = true;
  request.block_inputs = true;
  const ForwardResult result = model.forward(ids, 2, 7, request);
  EXPECT_EQ(result.logits.size(), 14u * 16u);
  EXPECT_EQ(result.last_hidden_state.size(), 14u * 256u);
  ASSERT_EQ(result.block_inputs.size(), 6u);
  EXPECT_EQ(result.block_inputs[5].size(), 14u * 256u);
}

TEST(Model, RefusesWhatItCannotRun) {
  const Model model = Model::load(demo_model);
  const std::vector<std::int32_t> ids{7, 8};
  EXPECT_THROW(model.forward(ids, 1, 3), InvalidArgument);
  EXPECT_THROW(model.forward(ids, 0, 2), InvalidArgument);
  EXPECT_THROW(model.forward(std::vector<std::int32_t>{-1}, 1, 1), InvalidArgument);
  test::expect_error<DeviceError>(
      [] {
        ModelOptions options;
        options.device = parse_device("cuda:3");
        Model::load(demo_model, options);
      },
      {"cuda:3", "--device cpu"});
  test::expect_error<InvalidArgument>(
      [] {
        ModelOptions options;
        options.threads = -1;
        Model::load(demo_model, options);
      },
      {"threads"});
}

TEST(Model, NamesADirectoryThatIsNone) {
  test::expect_error([] { Model::load("no/such/model"); }, {"no/such/model"});
}

TEST(Model, RandomWeightsRunAndHaveNoHash) {
  const Model model = Model::random(R"({"model_type": "mamba_ssm", "d_model": 32, "n_layer": 2,
                                        "vocab_size": 16, "ssm_cfg": {}})");
  EXPECT_TRUE(model.info().is_causal);
  EXPECT_GT(model.info().parameters, 0);
  const ForwardResult result = model.forward(std::vector<std::int32_t>{7, 8, 9}, 1, 3);
  EXPECT_EQ(result.logits.size(), 48u);
  EXPECT_THROW(model.weights_sha256(), InvalidArgument);
}

TEST(Model, HashIsThatOfTheWeightFile) {
  const Model model = Model::load(demo_model);
  const std::string command = "sha256sum " + demo_model + "/model.safetensors";
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char hash[65] = {};
  ASSERT_EQ(std::fread(hash, 1, 64, pipe), 64u);
  pclose(pipe);
  EXPECT_EQ(model.weights_sha256(), hash);
}

}  // namespace
}  // namespace ssmgen
