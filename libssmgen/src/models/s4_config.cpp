#include "models/s4_config.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace ssmgen::models {
namespace {

using base::JsonValue;

constexpr std::int64_t max_d_model = 1 << 16;
constexpr std::int64_t max_layers = 1 << 12;
constexpr std::int64_t max_vocab_size = 1 << 24;
constexpr std::int64_t max_d_state = 1 << 10;
constexpr std::int64_t max_rank = 8;

/// The value of a key that has few words. @throws FormatError naming them all for another one.
template <class Value, std::size_t count>
Value choose(const JsonValue& config, std::string_view key, std::string_view fallback,
             const std::array<std::pair<std::string_view, Value>, count>& words) {
  const std::string found = config.text_or(key, fallback);
  std::string known;
  for (const auto& [word, value] : words) {
    if (word == found) return value;
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", word);
  }
  config.at(key).fail(fmt::format("\"{}\" is not supported; supported: {}", found, known));
}

void expect_word(const JsonValue& config, std::string_view key, std::string_view word) {
  choose<bool, 1>(config, key, word, {{{word, true}}});
}

}  // namespace

S4Config parse_s4_config(const JsonValue& config, bool is_block,
                         std::vector<std::string>& warnings) {
  using layers::Discretization;
  using layers::HippoMeasure;
  S4Config result;
  result.d_model = config.at("d_model").integer(1, max_d_model);
  if (!is_block) {
    result.n_layer = config.at("n_layer").integer(1, max_layers);
    result.vocab_size = config.at("vocab_size").integer(1, max_vocab_size);
  }
  result.d_state = config.integer_or("d_state", 64, 2, max_d_state);
  if (result.d_state % 2 != 0) {
    config.at("d_state").fail(fmt::format(
        "expected an even number, as states come with their conjugates, found {}", result.d_state));
  }
  const bool is_diagonal = choose<bool, 4>(
      config, "mode", "dplr", {{{"dplr", false}, {"nplr", false}, {"diag", true}, {"s4d", true}}});
  result.rank = is_diagonal ? 0 : config.integer_or("rank", 1, 1, max_rank);
  result.discretization = choose<Discretization, 2>(
      config, "disc", is_diagonal ? "zoh" : "bilinear",
      {{{"zoh", Discretization::zoh}, {"bilinear", Discretization::bilinear}}});
  if (!is_diagonal && result.discretization != Discretization::bilinear) {
    config.at("disc").fail("a kernel of mode \"dplr\" is discretized by \"bilinear\" alone");
  }
  result.bidirectional = config.boolean_or("bidirectional", false);
  result.prenorm = config.boolean_or("prenorm", true);
  result.norm_epsilon = config.number_or("norm_epsilon", 1e-5);
  if (!(result.norm_epsilon > 0.0 && result.norm_epsilon <= 0.1)) {
    config.at("norm_epsilon").fail("expected a number above 0 and up to 0.1");
  }
  expect_word(config, "activation", "gelu");
  expect_word(config, "final_act", "glu");
  if (config.contains("init")) {
    const std::string init = config.text_or("init", "legs");
    result.start = init.ends_with("lin")    ? HippoMeasure::lin
                   : init.ends_with("inv")  ? HippoMeasure::inv
                   : init.ends_with("legt") ? HippoMeasure::legt
                                            : HippoMeasure::legs;
  } else if (is_diagonal) {
    result.start = HippoMeasure::lin;
  }
  // The last three tell where a checkpoint comes from and how it began.
  constexpr std::array<std::string_view, 17> known = {
      "model_type", "d_model",      "n_layer",   "vocab_size", "d_state",      "mode",
      "rank",       "disc",         "prenorm",   "activation", "final_act",    "bidirectional",
      "init",       "norm_epsilon", "reference", "dropout",    "architectures"};
  for (const auto& [key, value] : config.members()) {
    if (std::ranges::find(known, key) == known.end()) {
      warnings.push_back(
          fmt::format("{}: '{}' is not known and was left aside", config.source(), key));
    }
  }
  return result;
}

}  // namespace ssmgen::models
