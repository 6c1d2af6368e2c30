#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <ssmgen/model.hpp>
#include <ssmgen/selftest.hpp>
#include <string_view>

#include "tests/support/devices.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen {
namespace {

namespace fs = std::filesystem;

const fs::path bundled = fs::path(SSMGEN_SOURCE_DIR) / "test_data/golden";
const fs::path shared = fs::path(SSMGEN_SOURCE_DIR).parent_path() / "shared/golden";

void expect_golden(const fs::path& directory, const ModelOptions& options) {
  const std::vector<TensorCheck> checks = selftest(directory.string(), options);
  EXPECT_FALSE(checks.empty());
  for (const TensorCheck& check : checks) {
    EXPECT_TRUE(check.passed) << fmt::format("{} {}: {} > {}", directory.string(), check.name,
                                             check.relative_norm, check.tolerance);
  }
}

std::string label(const testing::TestParamInfo<std::tuple<const char*, Device>>& test) {
  return std::string(std::get<0>(test.param)) + "_" + test::device_label(std::get<1>(test.param));
}

class BundledGolden : public testing::TestWithParam<std::tuple<const char*, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<1>(GetParam())); }
  static void expect_agreement(Dtype dtype) {
    ModelOptions options;
    options.device = std::get<1>(GetParam());
    options.dtype = dtype;
    expect_golden(bundled / std::get<0>(GetParam()), options);
  }
};

TEST_P(BundledGolden, AgreesInF32) {
  expect_agreement(Dtype::f32);
}

TEST_P(BundledGolden, IsNoWorseThanTheReferenceInBf16) {
  expect_agreement(Dtype::bf16);
}

INSTANTIATE_TEST_SUITE_P(All, BundledGolden,
                         testing::Combine(testing::Values("caduceus_causal", "caduceus_ps",
                                                          "caduceus_ps_unfused", "hf_mamba"),
                                          testing::ValuesIn(test::devices())),
                         label);

class ReferenceGolden : public testing::TestWithParam<std::tuple<const char*, Device>> {};

TEST_P(ReferenceGolden, AgreesInF32) {
  const auto& [name, device] = GetParam();
  SSMGEN_SKIP_WITHOUT(device);
  const fs::path directory = shared / name;
  if (!fs::exists(directory)) GTEST_SKIP() << directory << " is not here";
  ModelOptions options;
  options.device = device;
  expect_golden(directory, options);
}

INSTANTIATE_TEST_SUITE_P(All, ReferenceGolden,
                         testing::Combine(testing::Values("caduceus_causal", "caduceus_ph",
                                                          "caduceus_ph_untied_multiply_layernorm",
                                                          "caduceus_ps", "caduceus_ps_long",
                                                          "caduceus_ps_unfused", "mamba_lm",
                                                          "hf_mamba"),
                                          testing::ValuesIn(test::devices())),
                         label);

// 20,001 bases: whole, in chunks of three sizes, and in as little memory as a plan can be made for.
TEST_P(BundledGolden, ALongOneAgreesForEveryPlan) {
  const fs::path directory = shared / "caduceus_ps_long";
  if (!fs::exists(directory)) GTEST_SKIP() << directory << " is not here";
  if (std::string_view(std::get<0>(GetParam())) != "caduceus_ps") GTEST_SKIP() << "once is enough";
  ModelOptions options;
  options.device = std::get<1>(GetParam());
  for (const std::int64_t chunk : {20480, 1024, 4096, 9000}) {
    options.chunk_bases = chunk;
    expect_golden(directory, options);
  }
  options.chunk_bases = 0;
  const test::TemporaryFolder folder;
  options.scratch = folder.path().string();
  std::string mode;
  for (std::int64_t megabytes = 1; mode.empty(); ++megabytes) {
    const std::int64_t bytes = megabytes << 20;
    (options.device.kind == Device::Kind::cpu ? options.max_memory_bytes
                                              : options.device_memory_bytes) = bytes;
    try {
      mode = Model::load(directory.string(), options).plan(20001, true).mode;
    } catch (const DeviceError&) {
      ASSERT_LT(megabytes, 4096);
    }
  }
  EXPECT_EQ(mode, "folded");
  // What the test itself takes meanwhile is not the model's.
  (options.device.kind == Device::Kind::cpu ? options.max_memory_bytes
                                            : options.device_memory_bytes) += 16 << 20;
  expect_golden(directory, options);
}

TEST(Selftest, FailsWhenTheWeightsAreNotTheGoldens) {
  const test::TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(bundled / "caduceus_causal")) {
    fs::copy(entry.path(), folder.path() / entry.path().filename());
  }
  fs::permissions(folder.path() / "model.safetensors", fs::perms::owner_all);
  std::fstream weights(folder.path() / "model.safetensors",
                       std::ios::in | std::ios::out | std::ios::binary);
  // The exponent's byte of the last value, which is a norm's weight and near 1.
  weights.seekp(-1, std::ios::end);
  weights.put('\x41');
  weights.close();
  const std::vector<TensorCheck> checks = selftest(folder.path().string());
  EXPECT_TRUE(std::any_of(checks.begin(), checks.end(),
                          [](const TensorCheck& check) { return !check.passed; }));
}

TEST(Selftest, NamesAFolderThatIsNoGolden) {
  const test::TemporaryFolder folder;
  test::expect_error([&] { selftest(folder.path().string()); }, {"expected.safetensors"});
}

}  // namespace
}  // namespace ssmgen
