// The goldens of S4, by the library's public interface: near what the reference implementation
// computed, nearer to f64, and the same for every chunk.
#include <filesystem>
#include <gtest/gtest.h>
#include <ssmgen/model.hpp>
#include <ssmgen/selftest.hpp>

#include "layers/s4_dplr.hpp"
#include "models/checkpoint_source.hpp"
#include "models/model_config.hpp"
#include "models/s4.hpp"
#include "tests/reference/s4.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/kernel_values.hpp"

namespace ssmgen {
namespace {

namespace fs = std::filesystem;

const fs::path shared = fs::path(SSMGEN_SOURCE_DIR).parent_path() / "shared/golden";
constexpr std::int64_t tile = kernels::tile_length;

class S4Golden : public testing::TestWithParam<std::tuple<const char*, Device>> {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT(std::get<1>(GetParam()));
    directory_ = shared / std::get<0>(GetParam());
    if (!fs::exists(directory_)) GTEST_SKIP() << directory_ << " is not here";
    options_.device = std::get<1>(GetParam());
  }

  fs::path directory_;
  ModelOptions options_;
};

TEST_P(S4Golden, AgreesInF32ForEveryChunk) {
  for (const std::int64_t chunk : {std::int64_t{0}, tile, 2 * tile, 4 * tile, 64 * tile}) {
    options_.chunk_bases = chunk;
    const std::vector<TensorCheck> checks = selftest(directory_.string(), options_);
    EXPECT_FALSE(checks.empty());
    for (const TensorCheck& check : checks) {
      EXPECT_EQ(check.tolerance, 1e-4);
      EXPECT_LE(check.relative_norm, check.tolerance) << check.name << " chunk " << chunk;
    }
  }
}

TEST_P(S4Golden, IsTheSameToTheLastBitForEveryChunk) {
  const models::SafetensorsFile golden =
      models::SafetensorsFile::open(directory_ / "expected.safetensors");
  const models::TensorEntry* input = golden.find("input");
  const auto run = [&](std::int64_t chunk) {
    options_.chunk_bases = chunk;
    const Model model = Model::load(directory_.string(), options_);
    // The golden over and over, so that there is something to cut.
    if (input != nullptr) {
      const std::vector<float> once = golden.read_f32(*input);
      std::vector<float> values;
      while (std::ssize(values) < 5 * tile * input->shape[2]) {
        values.insert(values.end(), once.begin(), once.end());
      }
      return model.forward_channels(values, 1, std::ssize(values) / input->shape[2]);
    }
    const std::vector<std::int64_t> once = golden.read_i64(golden.at("input_ids"));
    std::vector<std::int32_t> ids;
    while (std::ssize(ids) < 5 * tile) ids.insert(ids.end(), once.begin(), once.end());
    return model.forward(ids, 1, std::ssize(ids)).logits;
  };
  const std::vector<float> whole = run(64 * tile);
  for (const std::int64_t chunk : {tile, 2 * tile, 3 * tile}) {
    EXPECT_EQ(test::bits(run(chunk)), test::bits(whole)) << "chunk " << chunk;
  }
}

// The whole model position by position in f64 from the checkpoint's tensors.
std::vector<double> reference_output(const fs::path& directory, const std::vector<double>& stream,
                                     const models::S4Weights& weights,
                                     const models::S4Config& config) {
  std::vector<double> x = stream;
  const auto channels = static_cast<std::size_t>(config.d_model);
  const auto norm = [&](const layers::NormWeights& by, const std::vector<double>& rows) {
    std::vector<double> result(rows.size());
    for (std::size_t row = 0; row < rows.size(); row += channels) {
      double mean = 0.0;
      double variance = 0.0;
      for (std::size_t c = 0; c < channels; ++c) mean += rows[row + c] / double(channels);
      for (std::size_t c = 0; c < channels; ++c) {
        variance += (rows[row + c] - mean) * (rows[row + c] - mean) / double(channels);
      }
      for (std::size_t c = 0; c < channels; ++c) {
        result[row + c] = (rows[row + c] - mean) /
                              std::sqrt(variance + static_cast<double>(by.epsilon)) *
                              static_cast<double>(by.weight[c]) +
                          static_cast<double>(by.bias[c]);
      }
    }
    return result;
  };
  EXPECT_FALSE(weights.blocks.empty()) << directory;
  for (const layers::S4BlockWeights& block : weights.blocks) {
    if (!block.norm) return reference::s4_block(block, x);
    const std::vector<double> out =
        reference::s4_block(block, config.prenorm ? norm(*block.norm, x) : x);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += out[i];
    if (!config.prenorm) x = norm(*block.norm, x);
  }
  return x;
}

TEST_P(S4Golden, AgreesWithF64) {
  models::Checkpoint checkpoint = models::Checkpoint::open(directory_);
  const models::ModelConfig whole = models::parse_model_config(checkpoint.config());
  const auto& config = std::get<models::S4Config>(whole.model);
  models::CheckpointSource source(checkpoint);
  const models::S4Weights weights = models::read_s4(config, source);
  EXPECT_TRUE(checkpoint.unused().empty());

  const models::SafetensorsFile golden =
      models::SafetensorsFile::open(directory_ / "expected.safetensors");
  const Model model = Model::load(directory_.string(), options_);
  const auto channels = static_cast<std::size_t>(config.d_model);
  std::vector<double> stream;
  std::vector<float> found;
  if (config.is_block()) {
    const models::TensorEntry& input = golden.at("input");
    std::vector<float> values = golden.read_f32(input);
    values.resize(static_cast<std::size_t>(input.shape[1]) * channels);  // the first sequence
    stream.assign(values.begin(), values.end());
    found = model.forward_channels(values, 1, input.shape[1]);
  } else {
    const models::TensorEntry& input = golden.at("input_ids");
    const std::vector<std::int64_t> wide = golden.read_i64(input);
    const std::int64_t length = std::min<std::int64_t>(input.shape[1], 3000);
    const std::vector<std::int32_t> ids(wide.begin(), wide.begin() + length);
    for (const std::int32_t id : ids) {
      for (std::size_t c = 0; c < channels; ++c) {
        stream.push_back(
            static_cast<double>(weights.embedding[static_cast<std::size_t>(id) * channels + c]));
      }
    }
    ForwardRequest request;
    request.last_hidden_state = true;
    found = model.forward(ids, 1, length, request).last_hidden_state;
  }
  const std::vector<double> expected = reference_output(directory_, stream, weights, config);
  EXPECT_LE(test::relative_error<float>(found, expected), test::model_tolerance);
}

INSTANTIATE_TEST_SUITE_P(All, S4Golden,
                         testing::Combine(testing::Values("s4_dplr", "s4_lm",
                                                          "s4d_bilinear_bidirectional", "s4d_lm",
                                                          "s4d_lm_causal_long", "s4d_zoh"),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" +
                                  test::device_label(std::get<1>(test.param));
                         });

// The kernel itself: near the public implementation's, whose roots of unity are rounded to f32.
TEST(S4GoldenKernel, IsThatOfThePublicImplementation) {
  for (const char* name : {"s4_dplr", "s4d_bilinear_bidirectional", "s4d_zoh"}) {
    if (!fs::exists(shared / name)) GTEST_SKIP() << shared / name << " is not here";
    models::Checkpoint checkpoint = models::Checkpoint::open(shared / name);
    const models::ModelConfig whole = models::parse_model_config(checkpoint.config());
    models::CheckpointSource source(checkpoint);
    const models::S4Weights weights =
        models::read_s4(std::get<models::S4Config>(whole.model), source);
    const layers::S4Parameters& s4 = weights.blocks.front().model;
    const models::SafetensorsFile golden =
        models::SafetensorsFile::open(shared / name / "expected.safetensors");
    const models::TensorEntry& kernel = golden.at("kernel");
    std::vector<double> ours;
    for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
      for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
        const auto values = layers::s4_kernel(s4, direction, channel, kernel.shape[2]);
        ours.insert(ours.end(), values.begin(), values.end());
      }
    }
    EXPECT_LE(test::relative_error<float>(golden.read_f32(kernel), ours), 5e-5) << name;
  }
}

TEST(S4Models, SayWhatTheyRunOn) {
  if (!fs::exists(shared / "s4_dplr")) GTEST_SKIP() << shared << " is not here";
  const Model block = Model::load((shared / "s4_dplr").string());
  EXPECT_FALSE(block.info().is_dna);
  EXPECT_TRUE(block.info().is_causal);
  EXPECT_EQ(block.info().d_state, 64);
  test::expect_error<InvalidArgument>([&] { block.forward(std::vector<std::int32_t>{7}, 1, 1); },
                                      {"single S4 block", "channels"});
  test::expect_error<InvalidArgument>([&] { block.forward_channels(std::vector<float>(15), 1, 1); },
                                      {"15 values", "16 channels"});
  const Model lm = Model::load((shared / "s4d_lm").string());
  EXPECT_TRUE(lm.info().is_dna);
  EXPECT_TRUE(lm.info().is_bidirectional);
  test::expect_error<InvalidArgument>([&] { lm.forward_channels(std::vector<float>(32), 1, 1); },
                                      {"token ids", "s4_block"});
}

}  // namespace
}  // namespace ssmgen
