#pragma once
// Small Mamba stacks of every kind, with random weights, and what a run through them gives.

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "core/backend_loader.hpp"
#include "models/model_config.hpp"
#include "models/random_source.hpp"
#include "models/registry.hpp"
#include "stream/stack_runner.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/model_cases.hpp"

namespace ssmgen::stream::test_stacks {

inline constexpr std::int64_t tile = kernels::tile_length;

struct ModelCase {
  const char* name;
  const char* switches;  // of config.json
};

inline constexpr const char* complement =
    R"("complement_map": {"0":0,"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":10,"8":9,"9":8,"10":7,
       "11":11,"12":12,"13":13,"14":14,"15":15})";

inline const ModelCase model_cases[] = {
    {"ps_fused", R"("rcps": true, "fused_add_norm": true, "ssm_cfg": {"dt_rank": 4})"},
    {"ps_unfused", R"("rcps": true, "fused_add_norm": false)"},
    {"ps_untied_multiply",
     R"("rcps": true, "bidirectional_weight_tie": false, "bidirectional_strategy": "ew_multiply")"},
    {"ph", R"("rcps": false, "ssm_cfg": {"dt_rank": 4})"},
    {"ph_tied_multiply", R"("rcps": false, "bidirectional_strategy": "ew_multiply")"},
    {"ph_untied_add_layernorm",
     R"("rcps": false, "bidirectional_weight_tie": false, "rms_norm": false)"},
    {"ph_bias",
     R"("rcps": false, "residual_in_fp32": true, "ssm_cfg": {"bias": true, "dt_rank": 4})"},
    {"rc_one_direction", R"("rcps": true, "bidirectional": false)"},
    {"causal", R"("rcps": false, "bidirectional": false)"},
};

inline void PrintTo(const ModelCase& model_case, std::ostream* stream) {
  *stream << model_case.name;
}

struct Network {
  std::shared_ptr<kernels::Backend> backend;
  std::unique_ptr<models::MambaStack> stack;
  std::unique_ptr<core::Context> context;
};

inline Network make_network(const ModelCase& model_case, Dtype dtype, int threads,
                            const Device& device = {}) {
  const std::string json = std::string(R"({"model_type": "caduceus", "d_model": 32, "n_layer": 3,
      "vocab_size": 16, )") +
                           model_case.switches + ", " + complement + "}";
  Network network;
  network.backend = core::open_backend(device, threads);
  models::RandomSource source(7);
  const auto config = models::parse_model_config(base::JsonValue::parse(json, "test"));
  network.stack = std::make_unique<models::MambaStack>(
      std::get<models::MambaStack>(models::build_network(*network.backend, config, source, dtype)));
  network.context = std::make_unique<core::Context>(*network.backend);
  return network;
}

using test::random_bases;

struct Results {
  std::vector<float> logits;
  std::vector<float> hidden;
};

inline Results run(const Network& network, const std::vector<std::int32_t>& ids, std::int64_t batch,
                   const RunnerOptions& options) {
  const std::int64_t length = static_cast<std::int64_t>(ids.size()) / batch;
  const models::MambaStackShape& shape = network.stack->shape;
  std::vector<RowRead> reads;
  for (std::int64_t i = 0; i < batch * length; ++i) reads.push_back({i / length, i % length});
  Results result;
  result.logits.resize(ids.size() * static_cast<std::size_t>(shape.vocabulary));
  result.hidden.resize(ids.size() * static_cast<std::size_t>(shape.hidden_width()));
  RunOutputs outputs;
  outputs.reads = reads;
  outputs.logits = result.logits.data();
  outputs.last_hidden_state = result.hidden.data();
  StackRunner(*network.stack, *network.context, options).run(ids, batch, length, outputs);
  return result;
}

/// Runs the sequences for the logits at `reads` alone, which must be those of `all`.
inline void expect_reads(const Network& network, StackRunner& runner,
                         const std::vector<std::int32_t>& ids, std::int64_t batch,
                         const Results& all, const std::vector<RowRead>& reads) {
  const std::int64_t length = std::ssize(ids) / batch;
  const auto vocabulary = static_cast<std::size_t>(network.stack->shape.vocabulary);
  std::vector<float> logits(reads.size() * vocabulary);
  RunOutputs outputs;
  outputs.reads = reads;
  outputs.logits = logits.data();
  runner.run(ids, batch, length, outputs);
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const auto row = static_cast<std::size_t>(reads[i].sequence * length + reads[i].position);
    const float* got = logits.data() + i * vocabulary;
    EXPECT_TRUE(std::equal(got, got + vocabulary, all.logits.data() + row * vocabulary))
        << "sequence " << reads[i].sequence << " of " << batch << ", position " << reads[i].position
        << " of " << length;
  }
}

/// Those of one sequence.
inline void expect_few_reads(const Network& network, StackRunner& runner,
                             const std::vector<std::int32_t>& ids, const Results& all,
                             const std::vector<std::int64_t>& positions) {
  std::vector<RowRead> reads;
  for (const std::int64_t position : positions) reads.push_back({0, position});
  expect_reads(network, runner, ids, 1, all, reads);
}

}  // namespace ssmgen::stream::test_stacks
