// A causal model fed piece by piece gives the bits of the whole, also across a saved state.
#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <ssmgen/causal.hpp>

#include "tests/support/devices.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/model_cases.hpp"

namespace ssmgen {
namespace {

constexpr std::int64_t border = CausalRunner::border_bases;

struct CausalCase {
  const char* name;
  const char* config;
};

const CausalCase causal_cases[] = {
    {"mamba", R"({"model_type": "mamba_ssm", "d_model": 24, "n_layer": 2, "vocab_size": 16,
                  "ssm_cfg": {}, "residual_in_fp32": true})"},
    {"caduceus", R"({"model_type": "caduceus", "d_model": 24, "n_layer": 3, "vocab_size": 16,
                     "rcps": false, "bidirectional": false, "residual_in_fp32": false})"},
    {"s4d", R"({"model_type": "s4", "mode": "diag", "init": "diag-lin", "d_model": 16,
                "n_layer": 2, "vocab_size": 16, "bidirectional": false})"},
    {"s4_dplr", R"({"model_type": "s4", "mode": "dplr", "init": "legs", "d_model": 16,
                    "n_layer": 2, "vocab_size": 16, "bidirectional": false})"},
};

void PrintTo(const CausalCase& causal, std::ostream* stream) {
  *stream << causal.name;
}

std::vector<std::int32_t> random_bases(std::int64_t count) {
  std::mt19937 generator(5);
  std::uniform_int_distribution<std::int32_t> base(7, 10);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  std::generate(ids.begin(), ids.end(), [&] { return base(generator); });
  return ids;
}

ForwardRequest everything() {
  ForwardRequest request;
  request.last_hidden_state = true;
  request.block_inputs = true;
  return request;
}

void append(ForwardResult& whole, const ForwardResult& piece) {
  const auto add = [](std::vector<float>& to, const std::vector<float>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(whole.logits, piece.logits);
  add(whole.last_hidden_state, piece.last_hidden_state);
  whole.block_inputs.resize(piece.block_inputs.size());
  for (std::size_t i = 0; i < piece.block_inputs.size(); ++i) {
    add(whole.block_inputs[i], piece.block_inputs[i]);
  }
}

class CausalLaws : public testing::TestWithParam<std::tuple<CausalCase, Dtype, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<2>(GetParam())); }

  Model model() const {
    ModelOptions options;
    options.dtype = std::get<1>(GetParam());
    options.device = std::get<2>(GetParam());
    options.threads = 2;
    return Model::random(std::get<0>(GetParam()).config, options);
  }
};

TEST_P(CausalLaws, PiecesAndSavedStatesGiveTheBitsOfTheWhole) {
  const Model first = model();
  const Model second = model();
  const std::vector<std::int32_t> ids = random_bases(5 * border + 77);
  const ForwardResult expected = first.forward(ids, 1, std::ssize(ids), everything());
  for (const std::vector<std::int64_t>& pieces : {std::vector<std::int64_t>{5 * border + 77},
                                                  {border, 3 * border, border + 77},
                                                  {2 * border, border, border, border, 77}}) {
    for (const bool saves : {false, true}) {
      ForwardResult got;
      auto runner = std::make_unique<CausalRunner>(first);
      std::int64_t begin = 0;
      for (const std::int64_t length : pieces) {
        if (saves) runner = std::make_unique<CausalRunner>(second, runner->save());
        EXPECT_EQ(runner->position(), begin);
        append(got, runner->feed(std::span(ids).subspan(static_cast<std::size_t>(begin),
                                                        static_cast<std::size_t>(length)),
                                 everything()));
        begin += length;
      }
      EXPECT_EQ(got.logits, expected.logits) << pieces.size() << " pieces, saves " << saves;
      EXPECT_EQ(got.last_hidden_state, expected.last_hidden_state);
      EXPECT_EQ(got.block_inputs, expected.block_inputs);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CausalLaws,
                         testing::Combine(testing::ValuesIn(causal_cases),
                                          testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& one) { return test::case_label(one); });

TEST(CausalRunner, RefusesStatesThatAreNotItsOwn) {
  const Model mamba = Model::random(causal_cases[0].config);
  CausalRunner runner(mamba);
  runner.feed(random_bases(border));
  const std::string state = runner.save();
  const auto refused = [](const Model& model, const std::string& bytes,
                          std::initializer_list<std::string_view> parts) {
    test::expect_error<FormatError>([&] { CausalRunner(model, bytes); }, parts);
  };
  refused(Model::random(causal_cases[1].config), state, {"another model"});
  ModelOptions options;
  options.dtype = Dtype::bf16;
  refused(Model::random(causal_cases[0].config, options), state, {"another dtype", "bf16"});
  std::string other = state;
  other[20] = 9;
  refused(mamba, other, {"version 9", "version 1"});
  refused(mamba, "", {"no causal state"});
  refused(mamba, state.substr(0, 30), {"ends early"});
  refused(mamba, state.substr(0, state.size() - 4), {"bytes after its head"});
  other = state;
  other[state.size() - 100] = static_cast<char>(other[state.size() - 100] ^ 1);
  refused(mamba, other, {"damaged"});
}

TEST(CausalRunner, RefusesModelsAndPiecesItCannotTake) {
  const Model both = Model::random(
      R"({"model_type": "caduceus", "d_model": 24, "n_layer": 1, "vocab_size": 16, "rcps": false})");
  test::expect_error<InvalidArgument>([&] { CausalRunner{both}; }, {"causal", "mamba"});
  const Model s4 = Model::random(R"({"model_type": "s4", "mode": "diag", "init": "diag-lin",
      "d_model": 16, "n_layer": 1, "vocab_size": 16, "bidirectional": true})");
  test::expect_error<InvalidArgument>([&] { CausalRunner{s4}; }, {"causal", "s4"});

  const Model mamba = Model::random(causal_cases[0].config);
  CausalRunner runner(mamba);
  test::expect_error<InvalidArgument>([&] { runner.feed(std::vector<std::int32_t>{99}); },
                                      {"99", "vocabulary"});
  EXPECT_EQ(runner.feed("ACGTN").logits.size(), 5u * 16u);
  EXPECT_EQ(runner.position(), 5);
  test::expect_error<InvalidArgument>([&] { runner.feed("ACGT"); }, {"ended at 5", "1024"});
  test::expect_error<InvalidArgument>([&] { runner.save(); }, {"1024", "not at 5"});
}

}  // namespace
}  // namespace ssmgen
