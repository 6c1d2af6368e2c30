// The laws of a streaming model, for S4: chunked equals whole, groups and threads change no bit,
// a causal model does not see what follows.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <ssmgen/errors.hpp>

#include "base/json.hpp"
#include "models/model_config.hpp"
#include "models/random_source.hpp"
#include "models/registry.hpp"
#include "stream/runner.hpp"
#include "stream/s4_runner.hpp"
#include "tests/support/machine.hpp"
#include "tests/support/model_cases.hpp"

namespace ssmgen::stream {
namespace {

constexpr std::int64_t tile = kernels::tile_length;
constexpr std::int64_t vocabulary = 12;
constexpr std::int64_t d_model = 20;

struct S4Case {
  const char* name;
  const char* switches;  // of config.json
};

const S4Case s4_cases[] = {
    {"s4d_causal", R"("mode": "diag")"},
    {"s4d_bidirectional", R"("mode": "diag", "bidirectional": true)"},
    {"s4d_bilinear_postnorm", R"("mode": "diag", "disc": "bilinear", "prenorm": false)"},
    {"s4d_bidirectional_postnorm", R"("mode": "diag", "bidirectional": true, "prenorm": false)"},
    {"s4_causal", R"("mode": "dplr")"},
    {"s4_bidirectional", R"("mode": "dplr", "bidirectional": true)"},
    {"s4_legt_bidirectional", R"("init": "legt", "rank": 2, "bidirectional": true)"},
};

void PrintTo(const S4Case& s4_case, std::ostream* stream) {
  *stream << s4_case.name;
}

struct Model {
  test::Machine machine;
  std::unique_ptr<models::Network> network;

  Model(const S4Case& s4_case, Dtype dtype, const Device& device = {}, int threads = 2)
      : machine(device, threads) {
    const std::string json =
        std::string(R"({"model_type": "s4", "d_model": 20, "n_layer": 3, "vocab_size": 12,
                        "d_state": 16, )") +
        s4_case.switches + "}";
    const auto config = models::parse_model_config(base::JsonValue::parse(json, "test"));
    models::RandomSource source(7, std::get<models::S4Config>(config.model).start);
    network = std::make_unique<models::Network>(
        models::build_network(*machine.backend, config, source, dtype));
  }
  bool is_causal() const { return std::get<models::S4Stack>(*network).is_causal(); }
};

using test::random_bases;

struct Results {
  std::vector<float> logits;
  std::vector<float> hidden;
  std::vector<std::vector<float>> inputs;

  bool operator==(const Results&) const = default;
};

Results run(Model& model, const std::vector<std::int32_t>& ids, std::int64_t batch,
            const RunnerOptions& options) {
  const std::int64_t length = static_cast<std::int64_t>(ids.size()) / batch;
  std::vector<RowRead> reads;
  for (std::int64_t i = 0; i < batch * length; ++i) reads.push_back({i / length, i % length});
  Results result;
  result.logits.resize(ids.size() * static_cast<std::size_t>(vocabulary));
  result.hidden.resize(ids.size() * static_cast<std::size_t>(d_model));
  result.inputs.assign(3, result.hidden);
  RunOutputs outputs;
  outputs.reads = reads;
  outputs.logits = result.logits.data();
  outputs.last_hidden_state = result.hidden.data();
  for (auto& input : result.inputs) outputs.block_inputs.push_back(input.data());
  make_runner(*model.network, model.machine.context, options)->run(ids, batch, length, outputs);
  return result;
}

class S4RunnerLaws : public testing::TestWithParam<std::tuple<S4Case, Dtype, Device>> {
 protected:
  void SetUp() override { SSMGEN_SKIP_WITHOUT(std::get<2>(GetParam())); }

  static Model model(int threads = 2) {
    const auto& [s4_case, dtype, device] = GetParam();
    return {s4_case, dtype, device, threads};
  }
};

TEST_P(S4RunnerLaws, ChunkedEqualsWholeBitForBit) {
  Model s4 = model();
  const std::vector<std::int32_t> ids = random_bases(3 * tile + 77);
  const Results whole = run(s4, ids, 1, {.chunk_bases = 4 * tile, .group_rows = 0});
  ASSERT_TRUE(std::all_of(whole.logits.begin(), whole.logits.end(),
                          [](float value) { return std::isfinite(value); }));
  EXPECT_NE(whole.inputs[1], whole.inputs[2]);
  for (const std::int64_t chunk : {tile, 2 * tile, 3 * tile}) {
    EXPECT_EQ(run(s4, ids, 1, {.chunk_bases = chunk, .group_rows = 0}), whole) << "chunk " << chunk;
  }
}

TEST_P(S4RunnerLaws, GroupsAndThreadsChangeNoBit) {
  Model s4 = model();
  Model one_thread = model(1);
  const std::vector<std::int32_t> ids = random_bases(7 * 61);
  const Results expected = run(s4, ids, 7, {.chunk_bases = 0, .group_rows = 1 << 20});
  for (const std::int64_t rows : {1, 130, 300}) {
    EXPECT_EQ(run(s4, ids, 7, {.chunk_bases = 0, .group_rows = rows}), expected) << rows;
  }
  EXPECT_EQ(run(one_thread, ids, 7, {}), expected);
  const std::vector<std::int32_t> last(ids.end() - 61, ids.end());
  const Results alone = run(s4, last, 1, {});
  EXPECT_TRUE(std::equal(alone.logits.rbegin(), alone.logits.rend(), expected.logits.rbegin()));
}

TEST_P(S4RunnerLaws, CausalModelsDoNotSeeWhatFollows) {
  Model s4 = model();
  const std::vector<std::int32_t> ids = random_bases(100);
  std::vector<std::int32_t> changed = ids;
  changed.back() = changed.back() == 7 ? 8 : 7;
  const Results before = run(s4, ids, 1, {});
  const Results after = run(s4, changed, 1, {});
  double difference = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < 99 * vocabulary; ++i) {
    const double a = static_cast<double>(before.logits[i]);
    const double b = static_cast<double>(after.logits[i]);
    difference += (a - b) * (a - b);
    norm += a * a;
  }
  // The Fourier transform of a block mixes its rounding, not its positions.
  const double error = std::sqrt(difference / norm);
  if (s4.is_causal()) {
    EXPECT_LT(error, std::get<1>(GetParam()) == Dtype::f32 ? 1e-5 : 3e-2);
  } else {
    EXPECT_GT(error, 1e-4);
  }
}

TEST_P(S4RunnerLaws, PiecesAndReadsAreThoseOfTheWhole) {
  Model s4 = model();
  constexpr std::int64_t length = 2 * tile + 10;
  const std::vector<std::int32_t> ids = random_bases(length);
  const Results whole = run(s4, ids, 1, {});
  std::vector<float> middle;
  std::vector<float> last;
  std::vector<float> bases;
  // Positions of a sequence may be read in any order.
  const std::vector<RowRead> reads{{0, 2 * tile + 3}, {0, 5}, {0, tile}, {0, 5}};
  std::vector<float> logits(reads.size() * static_cast<std::size_t>(vocabulary));
  std::vector<float> read_bases(reads.size() * 4);
  RunOutputs outputs;
  outputs.reads = reads;
  outputs.logits = logits.data();
  outputs.base_log_probabilities = read_bases.data();
  outputs.base_ids = {7, 8, 9, 10};
  outputs.hidden_layers = {1, 3};
  outputs.on_hidden = [&](const HiddenRows& piece) {
    auto& rows = piece.layer == 1 ? middle : last;
    EXPECT_EQ(piece.first_row * d_model, std::ssize(rows));
    rows.insert(rows.end(), piece.values.begin(), piece.values.end());
  };
  outputs.on_base_log_probabilities = [&](std::int64_t first, std::span<const float> values) {
    EXPECT_EQ(first * 4, std::ssize(bases));
    bases.insert(bases.end(), values.begin(), values.end());
  };
  RunnerOptions options;
  options.chunk_bases = tile;
  make_runner(*s4.network, s4.machine.context, options)->run(ids, 1, length, outputs);
  EXPECT_EQ(middle, whole.inputs[1]);
  EXPECT_EQ(last, whole.hidden);
  ASSERT_EQ(bases.size(), ids.size() * 4);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const auto position = static_cast<std::size_t>(reads[i].position);
    for (std::size_t v = 0; v < vocabulary; ++v) {
      EXPECT_EQ(logits[i * vocabulary + v], whole.logits[position * vocabulary + v]);
    }
    for (std::size_t b = 0; b < 4; ++b) {
      EXPECT_EQ(read_bases[i * 4 + b], bases[position * 4 + b]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, S4RunnerLaws,
                         testing::Combine(testing::ValuesIn(s4_cases),
                                          testing::Values(Dtype::f32, Dtype::bf16),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& one) { return test::case_label(one); });

TEST(S4Runner, RefusesIdsAndReadsOutsideTheirRange) {
  Model s4(s4_cases[0], Dtype::f32);
  const auto runner = make_runner(*s4.network, s4.machine.context, {});
  const std::vector<std::int32_t> bad{7, 12};
  EXPECT_THROW(runner->run(bad, 1, 2, {}), InvalidArgument);
  const std::vector<std::int32_t> good{7, 8};
  EXPECT_THROW(runner->run(good, 1, 3, {}), InvalidArgument);
  for (const std::vector<RowRead>& reads :
       {std::vector<RowRead>{{0, 2}}, {{1, 0}}, {{0, -1}}, {{1, 0}, {0, 0}}}) {
    RunOutputs outputs;
    outputs.reads = reads;
    EXPECT_THROW(runner->run(good, 1, 2, outputs), InvalidArgument);
  }
}

}  // namespace
}  // namespace ssmgen::stream
