#include <cstdint>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <ssmgen/errors.hpp>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/sha256.hpp"
#include "models/checkpoint.hpp"
#include "models/model_config.hpp"
#include "tests/models/safetensors_bytes.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::models {
namespace {

using test::expect_error;
namespace fs = std::filesystem;

using Shape = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    fs::create_directory(directory_);
    folder_.write("model/config.json", R"({"model_type": "caduceus"})");
  }

  void write(const std::string& name, const std::vector<TensorToWrite>& tensors) const {
    write_safetensors(directory_ / name, tensors);
  }
  void write_index(const std::string& weight_map) const {
    folder_.write("model/model.safetensors.index.json",
                  R"({"metadata": {"total_size": 1}, "weight_map": )" + weight_map + "}");
  }
  TensorToWrite values(std::string name) const { return f32_tensor(std::move(name), {2}, values_); }
  void expect_open_error(std::initializer_list<std::string_view> parts) const {
    expect_error([&] { Checkpoint::open(directory_); }, parts);
  }

  test::TemporaryFolder folder_;
  fs::path directory_ = folder_.path() / "model";
  std::vector<float> values_ = {1, 2};
};

TEST_F(CheckpointTest, OpensADirectory) {
  const std::vector<std::int64_t> ids = {3, 4, 5};
  write("model.safetensors", {values("b"), values("a"), i64_tensor("ids", {3}, ids)});
  for (const std::string suffix : {"", "/", "/."}) {
    auto checkpoint = Checkpoint::open(directory_.string() + suffix);
    EXPECT_EQ(checkpoint.model_name(), "model");
    EXPECT_EQ(checkpoint.config().at("model_type").text(), "caduceus");
    EXPECT_EQ(checkpoint.names(), (Names{"a", "b", "ids"}));
    EXPECT_TRUE(checkpoint.has("a"));
    EXPECT_FALSE(checkpoint.has("c"));
    EXPECT_EQ(checkpoint.find("c"), nullptr);
    EXPECT_EQ(checkpoint.find("ids")->shape, Shape{3});
    EXPECT_EQ(checkpoint.f32("a", {2}), values_);
    EXPECT_EQ(checkpoint.i64_optional("ids", {3}), ids);
    EXPECT_EQ(checkpoint.parameter_count(), 4);
    EXPECT_EQ(checkpoint.parameter_dtypes(), (std::map<std::string, std::int64_t>{{"F32", 4}}));
    EXPECT_EQ(checkpoint.weights_bytes(), base::file_bytes(directory_ / "model.safetensors"));
  }
}

TEST_F(CheckpointTest, ErrorsNameTensorExpectedAndFoundShape) {
  const std::vector<std::int64_t> ids = {3};
  const std::vector<float> bad = {0, std::numeric_limits<float>::quiet_NaN()};
  write("model.safetensors",
        {values("a"), i64_tensor("ids", {1}, ids), f32_tensor("bad", {2, 1}, bad)});
  auto checkpoint = Checkpoint::open(directory_);
  expect_error(
      [&] {
        checkpoint.f32("a", {2, 1});
      },
      {"model.safetensors", "'a'", "shape [2]", "expected [2, 1]"});
  expect_error(
      [&] {
        checkpoint.f32("missing", {2, 1});
      },
      {directory_.string(), "'missing'", "[2, 1]"});
  expect_error([&] { checkpoint.f32_or({"first", "second"}, {2}); }, {"'first' or 'second'"});
  expect_error([&] { checkpoint.f32_optional("a", {3}); }, {"'a'", "expected [3]"});
  expect_error([&] { checkpoint.f32("ids", {1}); }, {"'ids'", "I64"});
  expect_error([&] { checkpoint.i64_optional("a", {2}); }, {"'a'", "F32"});
  expect_error([&] { checkpoint.i64_optional("ids", {2}); }, {"'ids'", "expected [2]"});
  expect_error([&] { checkpoint.f32("bad", {2, 1}); }, {"'bad'", "nan", "[1, 0]"});
}

TEST_F(CheckpointTest, KeepsCountOfWhatWasUsed) {
  write("model.safetensors", {values("a"), values("b"), values("c"), values("d"), values("e")});
  auto checkpoint = Checkpoint::open(directory_);
  EXPECT_EQ(checkpoint.unused(), (Names{"a", "b", "c", "d", "e"}));
  checkpoint.f32("a", {2});
  EXPECT_EQ(checkpoint.f32_optional("b", {2}), values_);
  EXPECT_EQ(checkpoint.f32_optional("absent", {2}), std::nullopt);
  EXPECT_EQ(checkpoint.i64_optional("absent", {2}), std::nullopt);
  checkpoint.mark_used("c");
  checkpoint.mark_used("absent");
  EXPECT_EQ(checkpoint.unused(), (Names{"d", "e"}));
}

TEST_F(CheckpointTest, ATiedTensorIsFoundUnderEitherName) {
  write("model.safetensors", {values("embedding"), values("forward")});
  auto checkpoint = Checkpoint::open(directory_);
  EXPECT_EQ(checkpoint.f32_or({"head", "embedding"}, {2}), values_);
  EXPECT_EQ(checkpoint.f32_or({"head", "embedding"}, {2}), values_);
  EXPECT_EQ(checkpoint.f32_or({"embedding", "head"}, {2}), values_);
  checkpoint.alias("reverse", "forward");
  ASSERT_EQ(checkpoint.tied().size(), 2u);
  EXPECT_EQ(checkpoint.tied()[0].name, "head");
  EXPECT_EQ(checkpoint.tied()[0].stored_as, "embedding");
  EXPECT_EQ(checkpoint.tied()[1].name, "reverse");
  EXPECT_TRUE(checkpoint.unused().empty());
}

TEST_F(CheckpointTest, MissingTensorsCanBeCollected) {
  write("model.safetensors", {values("a")});
  auto checkpoint = Checkpoint::open(directory_);
  EXPECT_NO_THROW(checkpoint.check_complete());
  checkpoint.collect_missing(true);
  EXPECT_EQ(checkpoint.f32("x", {3}), (std::vector<float>(3)));
  checkpoint.f32_or({"y", "z"}, {1});
  checkpoint.f32("a", {2});
  EXPECT_EQ(checkpoint.missing(), (Names{"x", "y"}));
  expect_error([&] { checkpoint.check_complete(); }, {directory_.string(), "2", "'x', 'y'"});
  expect_error([&] { checkpoint.f32("a", {3}); }, {"expected [3]"});
  expect_error([&] { checkpoint.f32("huge", {1 << 20, 1 << 20}); }, {"'huge'"});
}

TEST_F(CheckpointTest, DirectoriesThatAreNoneAreRefused) {
  expect_error([&] { Checkpoint::open(folder_.path() / "absent"); },
               {"absent", "does not exist", "config.json"});
  const auto file = folder_.write("model.safetensors", "");
  expect_error([&] { Checkpoint::open(file); }, {file.string(), "no directory"});
  fs::create_directory(folder_.path() / "empty");
  expect_error([&] { Checkpoint::open(folder_.path() / "empty"); }, {"config.json is missing"});
}

TEST_F(CheckpointTest, ADirectoryWithoutWeightsSaysWhatItHas) {
  expect_open_error({directory_.string(), "no weights", "model.safetensors.index.json"});
  for (const std::string name : {"pytorch_model.bin", "model.pt", "last.ckpt", "weights.pth"}) {
    const auto file = folder_.write("model/" + name, "x");
    expect_open_error({name, "python -m ssmgen.convert " + directory_.string()});
    fs::remove(file);
  }
  write("other.safetensors", {values("a")});
  expect_open_error({"other.safetensors", "model.safetensors"});
}

TEST_F(CheckpointTest, AMalformedConfigIsNamed) {
  write("model.safetensors", {values("a")});
  folder_.write("model/config.json", "{\n");
  expect_open_error({(directory_ / "config.json").string(), "line 2"});
  folder_.write("model/config.json", "[]");
  expect_open_error({"config.json", "expected a JSON object"});
  folder_.write("model/config.json", R"({"time_step_limit": [0.0, Infinity]})");
  EXPECT_NO_THROW(Checkpoint::open(directory_));
}

TEST_F(CheckpointTest, WeightsAreHashedAsStored) {
  write("model.safetensors", {values("a")});
  const std::string bytes = base::read_file(directory_ / "model.safetensors");
  const auto checkpoint = Checkpoint::open(directory_);
  EXPECT_EQ(checkpoint.weights_sha256(), base::sha256_hex(bytes_of(bytes)));
  EXPECT_EQ(checkpoint.weights_sha256(), base::sha256_hex(bytes_of(bytes)));
}

class ShardsTest : public CheckpointTest {
 protected:
  ShardsTest() {
    write("model-00002-of-00002.safetensors", {values("c")});
    write("model-00001-of-00002.safetensors", {values("a"), values("b")});
  }
};

TEST_F(ShardsTest, AreReadAsOneCheckpoint) {
  write_index(R"({"c": "model-00002-of-00002.safetensors",
                  "a": "model-00001-of-00002.safetensors",
                  "b": "model-00001-of-00002.safetensors"})");
  auto checkpoint = Checkpoint::open(directory_);
  EXPECT_EQ(checkpoint.names(), (Names{"a", "b", "c"}));
  EXPECT_EQ(checkpoint.f32("c", {2}), values_);
  EXPECT_EQ(checkpoint.unused(), (Names{"a", "b"}));
  EXPECT_EQ(checkpoint.parameter_count(), 6);
  const auto files = checkpoint.weight_files();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].filename(), "model-00001-of-00002.safetensors");
  const std::string bytes = base::read_file(files[0]) + base::read_file(files[1]);
  EXPECT_EQ(checkpoint.weights_sha256(), base::sha256_hex(bytes_of(bytes)));
  EXPECT_EQ(checkpoint.weights_bytes(), static_cast<std::int64_t>(bytes.size()));
  // A checkpoint that is moved keeps its tensors.
  Checkpoint moved = std::move(checkpoint);
  EXPECT_EQ(moved.f32("a", {2}), values_);
}

TEST_F(ShardsTest, MustAgreeWithTheirIndex) {
  write_index(R"({"a": "model-00001-of-00002.safetensors", "c": "model-00003.safetensors"})");
  expect_open_error({"index.json", "'weight_map.c'", "model-00003.safetensors", "missing"});
  write_index(R"({"a": "model-00001-of-00002.safetensors",
                  "z": "model-00002-of-00002.safetensors"})");
  expect_open_error({"'weight_map.z'", "model-00002-of-00002.safetensors", "no such tensor"});
  write_index(R"({"a": "model-00002-of-00002.safetensors",
                  "b": "model-00001-of-00002.safetensors"})");
  expect_open_error({"'weight_map.a'", "model-00002-of-00002.safetensors", "no such tensor"});
  write("model-00002-of-00002.safetensors", {values("c"), values("a")});
  write_index(R"({"c": "model-00002-of-00002.safetensors",
                  "a": "model-00001-of-00002.safetensors"})");
  expect_open_error({"'a'", "two shards", "00001-of", "00002-of-00002"});
}

TEST_F(ShardsTest, AMalformedIndexIsRefused) {
  write_index("{}");
  expect_open_error({"weight_map", "found none"});
  write_index("[]");
  expect_open_error({"weight_map", "an object"});
  write_index(R"({"a": 1})");
  expect_open_error({"weight_map.a", "a string"});
  for (const std::string file :
       {"../model/model-00001-of-00002.safetensors", "/etc/passwd", "..", ".", ""}) {
    write_index(R"({"a": ")" + file + R"("})");
    expect_open_error({"weight_map.a", "in this directory", "'" + file + "'"});
  }
  folder_.write("model/model.safetensors.index.json", "{}");
  expect_open_error({"index.json", "'weight_map' is missing"});
  folder_.write("model/model.safetensors.index.json", R"({"weight_map": {"a": "x", "a": "x"}})");
  expect_open_error({"'a'", "twice"});
}

TEST_F(ShardsTest, ADamagedShardIsNamed) {
  folder_.write("model/model-00002-of-00002.safetensors", "cut");
  write_index(R"({"a": "model-00001-of-00002.safetensors",
                  "c": "model-00002-of-00002.safetensors"})");
  expect_open_error({"model-00002-of-00002.safetensors", "3 bytes"});
}

// The directories of the public implementations open, and hold what their config promises.
class GoldenCheckpointTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!fs::exists(directory_)) GTEST_SKIP() << "no goldens at " << directory_;
  }
  const fs::path directory_ = fs::path(SSMGEN_SOURCE_DIR) / "../shared" / GetParam();
};

TEST_P(GoldenCheckpointTest, HoldsTheTensorsOfItsConfig) {
  auto checkpoint = Checkpoint::open(directory_);
  const ModelConfig config = parse_model_config(checkpoint.config());
  EXPECT_TRUE(config.warnings.empty()) << config.warnings.front();
  EXPECT_EQ(checkpoint.model_name(), directory_.filename().string());

  std::string mixer = "backbone.layers.{}.mixer.";
  std::string embedding = "backbone.embeddings.weight";
  MixerConfig sizes;
  std::int64_t d_inner = 0;
  if (const auto* caduceus = std::get_if<CaduceusConfig>(&config.model)) {
    const bool rcps = caduceus->rcps;
    sizes = caduceus->mixer;
    d_inner = caduceus->d_inner();
    mixer = rcps ? "caduceus.backbone.layers.{}.mixer.submodule.mamba_fwd."
                 : "caduceus.backbone.layers.{}.mixer.mamba_fwd.";
    embedding = rcps ? "caduceus.backbone.embeddings.word_embeddings.embedding.weight"
                     : "caduceus.backbone.embeddings.word_embeddings.weight";
    const auto stored_map =
        checkpoint.i64_optional("lm_head.complement_map", {config.vocab_size()});
    EXPECT_EQ(stored_map.has_value(), rcps);
    if (stored_map) {
      EXPECT_EQ(*stored_map, std::vector<std::int64_t>(config.complement_map().begin(),
                                                       config.complement_map().end()));
    }
  } else if (const auto* hf = std::get_if<MambaHfConfig>(&config.model)) {
    sizes = hf->mixer;
    d_inner = hf->d_inner();
  } else {
    const auto& ssm = std::get<MambaSsmConfig>(config.model);
    sizes = ssm.mixer;
    d_inner = ssm.d_inner();
    embedding = "backbone.embedding.weight";
  }
  EXPECT_NO_THROW(checkpoint.f32(embedding, {config.vocab_size(), config.d_model()}));
  for (std::int64_t layer = 0; layer < config.n_layer(); ++layer) {
    std::string prefix = mixer;
    prefix.replace(prefix.find("{}"), 2, std::to_string(layer));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "A_log", {d_inner, sizes.d_state}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "D", {d_inner}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "conv1d.weight", {d_inner, 1, sizes.d_conv}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "conv1d.bias", {d_inner}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "in_proj.weight", {2 * d_inner, config.d_model()}));
    EXPECT_NO_THROW(
        checkpoint.f32(prefix + "x_proj.weight", {sizes.dt_rank + 2 * sizes.d_state, d_inner}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "dt_proj.weight", {d_inner, sizes.dt_rank}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "dt_proj.bias", {d_inner}));
    EXPECT_NO_THROW(checkpoint.f32(prefix + "out_proj.weight", {config.d_model(), d_inner}));
  }
  const std::string beyond =
      std::string(mixer).replace(mixer.find("{}"), 2, std::to_string(config.n_layer()));
  EXPECT_FALSE(checkpoint.has(beyond + "D"));
  EXPECT_EQ(checkpoint.weights_sha256().size(), 64u);
}

INSTANTIATE_TEST_SUITE_P(Directories, GoldenCheckpointTest,
                         testing::Values("golden/caduceus_causal", "golden/caduceus_ph",
                                         "golden/caduceus_ph_untied_multiply_layernorm",
                                         "golden/caduceus_ps", "golden/caduceus_ps_long",
                                         "golden/caduceus_ps_unfused", "golden/mamba_lm",
                                         "golden/hf_mamba", "models/ecoli-caduceus-ps"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           for (char& letter : name) {
                             if (letter == '/' || letter == '-') letter = '_';
                           }
                           return name;
                         });

// Every other golden opens too; its config is refused by name.
TEST(GoldenCheckpoint, OtherModelsAreRefusedByName) {
  const fs::path goldens = fs::path(SSMGEN_SOURCE_DIR) / "../shared/golden";
  if (!fs::exists(goldens)) GTEST_SKIP() << "no goldens at " << goldens;
  const std::map<std::string, std::string> refused = {
      {"hf_bamba", "\"bamba\""},    {"hf_falcon_mamba", "\"falcon_mamba\""},
      {"hf_mamba2", "\"mamba2\""},  {"hf_rwkv", "\"rwkv\""},
      {"hyenadna", "\"hyenadna\""}, {"mamba2_lm", "\"Mamba2\""},
  };
  for (const auto& [name, word] : refused) {
    const auto checkpoint = Checkpoint::open(goldens / name);
    EXPECT_FALSE(checkpoint.names().empty());
    expect_error([&] { parse_model_config(checkpoint.config()); },
                 {name + "/config.json", word, "supported"});
  }
}

}  // namespace
}  // namespace ssmgen::models
