#include <gtest/gtest.h>
#include <memory>
#include <ssmgen/model.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/expect_error.hpp"
#include "tests/support/model_cases.hpp"

namespace ssmgen {
namespace {

const std::string data = std::string(SSMGEN_SOURCE_DIR) + "/test_data/";

struct ModelCase {
  const char* name;
  const char* given;  // a folder of test_data, or the config of random weights
};

Model load(const ModelCase& model, const ModelOptions& options) {
  const std::string given = model.given;
  return given.front() == '{' ? Model::random(given, options) : Model::load(data + given, options);
}

const ModelCase cases[] = {
    {"caduceus_ps", "golden/caduceus_ps"},
    {"caduceus_causal", "golden/caduceus_causal"},
    {"mamba", "golden/hf_mamba"},
    {"s4d", R"({"model_type": "s4", "mode": "diag", "init": "diag-lin", "d_model": 24,
                "n_layer": 3, "vocab_size": 16, "bidirectional": true})"},
    {"s4_postnorm", R"({"model_type": "s4", "mode": "dplr", "init": "legs", "d_model": 16,
                        "n_layer": 2, "vocab_size": 16, "prenorm": false})"},
};

std::vector<float> host(const DeviceArray& array) {
  std::vector<float> values(static_cast<std::size_t>(array.count()));
  array.copy_to_host(values);
  return values;
}

using Parameter = std::tuple<ModelCase, Dtype, Device>;

class ForwardOnDevice : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT(std::get<2>(GetParam()));
    options_.dtype = std::get<1>(GetParam());
    options_.device = std::get<2>(GetParam());
  }

  ModelOptions options_;
};

TEST_P(ForwardOnDevice, GivesTheBitsOfForward) {
  constexpr std::int64_t batch = 3;
  constexpr std::int64_t length = 2500;
  const std::vector<std::int32_t> ids = test::random_bases(batch * length);
  ForwardRequest request;
  request.last_hidden_state = true;
  for (const std::int64_t chunk : {0, 1024}) {
    options_.chunk_bases = chunk;
    const Model model = load(std::get<0>(GetParam()), options_);
    const ForwardResult expected = model.forward(ids, batch, length, request);
    const DeviceForwardResult found = model.forward_on_device(ids, batch, length, request);
    EXPECT_EQ(found.logits.device(), options_.device);
    EXPECT_EQ(found.logits.shape(),
              (std::vector<std::int64_t>{batch, length, model.info().vocabulary}));
    EXPECT_EQ(found.last_hidden_state.shape(),
              (std::vector<std::int64_t>{batch, length, model.info().hidden_width}));
    EXPECT_EQ(host(found.logits), expected.logits);
    EXPECT_EQ(host(found.last_hidden_state), expected.last_hidden_state);
  }
}

TEST_P(ForwardOnDevice, GivesWhatIsAskedForAlone) {
  const Model model = load(std::get<0>(GetParam()), options_);
  const std::vector<std::int32_t> ids = test::random_bases(20);
  ForwardRequest request;
  EXPECT_EQ(model.forward_on_device(ids, 1, 20, request).last_hidden_state.count(), 0);
  request.logits = false;
  request.last_hidden_state = true;
  const DeviceForwardResult found = model.forward_on_device(ids, 1, 20, request);
  EXPECT_EQ(found.logits.data(), nullptr);
  EXPECT_EQ(host(found.last_hidden_state), model.forward(ids, 1, 20, request).last_hidden_state);
}

TEST_P(ForwardOnDevice, TheArrayOutlivesItsModel) {
  DeviceArray array;
  std::vector<float> expected;
  {
    const Model model = load(std::get<0>(GetParam()), options_);
    array = model.forward_on_device(test::random_bases(20), 1, 20).logits;
    expected = host(array);
  }
  const DeviceArray same = array.reshape({20, array.shape()[2]});
  array = {};
  EXPECT_EQ(host(same), expected);
}

INSTANTIATE_TEST_SUITE_P(, ForwardOnDevice,
                         testing::Combine(testing::ValuesIn(cases),
                                          testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         test::case_label<ModelCase>);

class DeviceArrays : public testing::Test {
 protected:
  const Model model_ = Model::load(data + "golden/caduceus_ps");
  const std::vector<std::int32_t> ids_ = test::random_bases(20);
};

TEST_F(DeviceArrays, RefuseWhatDoesNotFit) {
  const DeviceArray array = model_.forward_on_device(ids_, 1, 20).logits;
  test::expect_error<InvalidArgument>([&] { array.reshape({7, 3}); }, {"320 numbers", "(7, 3)"});
  test::expect_error<InvalidArgument>([&] { DeviceArray().reshape({0}); }, {"0 numbers"});
  std::vector<float> room(7);
  test::expect_error<InvalidArgument>([&] { array.copy_to_host(room); }, {"7", "320"});
  ForwardRequest request;
  request.block_inputs = true;
  test::expect_error<InvalidArgument>([&] { model_.forward_on_device(ids_, 1, 20, request); },
                                      {"block inputs"});
  test::expect_error<InvalidArgument>([&] { model_.forward_on_device(ids_, 0, 20); }, {"0 and 20"});
  test::expect_error<InvalidArgument>([&] { model_.forward_on_device(ids_, 2, 20); },
                                      {"20 token ids", "2 sequences"});
}

TEST_F(DeviceArrays, AreReadByCopyFromDevice) {
  const DeviceArray array = model_.forward_on_device(ids_, 1, 20).logits;
  std::vector<float> values(static_cast<std::size_t>(array.count()));
  model_.copy_from_device(values.data(), array.data(), array.count() * 4);
  EXPECT_EQ(values, host(array));
}

TEST_F(DeviceArrays, AForkedChildIsTold) {
  auto array = std::make_unique<DeviceArray>(model_.forward_on_device(ids_, 1, 20).logits);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int code = 1;
    try {
      host(*array);
    } catch (const DeviceError& error) {
      code = std::string(error.what()).find("another process") == std::string::npos ? 2 : 0;
    }
    array.reset();
    _exit(code);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace ssmgen
