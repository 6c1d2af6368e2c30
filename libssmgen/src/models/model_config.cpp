#include "models/model_config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace ssmgen::models {

namespace {

using base::JsonValue;

// Bounds of what a config may ask for. They keep products of sizes far inside 64 bits and a typing
// error or a hostile file from asking for all memory.
constexpr std::int64_t max_d_model = 1 << 16;
constexpr std::int64_t max_layers = 1 << 12;
constexpr std::int64_t max_vocab_size = 1 << 24;
constexpr std::int64_t max_d_state = 1 << 10;
constexpr std::int64_t max_d_conv = 16;  // of the convolution kernel's contract
constexpr std::int64_t max_expand = 64;

std::int64_t padded(std::int64_t size, std::int64_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

std::int64_t required(const JsonValue& config, std::string_view key, std::int64_t max) {
  return config.at(key).integer(1, max);
}

double epsilon_or_default(const JsonValue& config, std::string_view key) {
  const auto value = config.find(key);
  if (!value) return 1e-5;
  const double epsilon = value->number();
  if (!(epsilon > 0 && epsilon <= 0.1)) {
    value->fail(fmt::format("expected a number above 0 and up to 0.1, found {}", value->excerpt()));
  }
  return epsilon;
}

// An integer, or "auto" (and absent) for ceil(d_model / 16).
std::int64_t parse_dt_rank(const std::optional<JsonValue>& value, std::int64_t d_model) {
  const std::int64_t automatic = (d_model + 15) / 16;
  if (!value) return automatic;
  if (!value->is_string()) return value->integer(1, max_d_model);
  if (value->text() != "auto") {
    value->fail(fmt::format("expected \"auto\" or an integer, found {}", value->excerpt()));
  }
  return automatic;
}

MixerConfig parse_ssm_cfg(const JsonValue& config, std::int64_t d_model,
                          std::vector<std::string>& warnings) {
  MixerConfig mixer;
  mixer.dt_rank = parse_dt_rank(std::nullopt, d_model);
  const auto ssm_cfg = config.find("ssm_cfg");
  if (!ssm_cfg) return mixer;
  if (const auto layer = ssm_cfg->find("layer"); layer && layer->text() != "Mamba1") {
    layer->fail(
        fmt::format("the layer \"{}\" is not supported; supported is \"Mamba1\"", layer->text()));
  }
  mixer.d_state = ssm_cfg->integer_or("d_state", mixer.d_state, 1, max_d_state);
  mixer.d_conv = ssm_cfg->integer_or("d_conv", mixer.d_conv, 1, max_d_conv);
  mixer.expand = ssm_cfg->integer_or("expand", mixer.expand, 1, max_expand);
  mixer.dt_rank = parse_dt_rank(ssm_cfg->find("dt_rank"), d_model);
  mixer.conv_bias = ssm_cfg->boolean_or("conv_bias", mixer.conv_bias);
  mixer.bias = ssm_cfg->boolean_or("bias", mixer.bias);
  // The first line decides the network; the others only how training began or which code ran.
  constexpr std::array<std::string_view, 13> known = {
      "layer",  "d_state", "d_conv",  "expand",   "dt_rank",       "conv_bias",     "bias",
      "dt_min", "dt_max",  "dt_init", "dt_scale", "dt_init_floor", "use_fast_path",
  };
  for (const auto& [key, value] : ssm_cfg->members()) {
    if (std::ranges::find(known, key) == known.end()) {
      warnings.push_back(
          fmt::format("{}: 'ssm_cfg.{}' is not known and was left aside", config.source(), key));
    }
  }
  return mixer;
}

std::int32_t parse_token_id(const JsonValue& map, const std::string& key, std::int64_t vocab_size) {
  std::int32_t id = -1;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size() || id < 0 || id >= vocab_size ||
      std::to_string(id) != key) {
    map.fail(
        fmt::format("expected token ids from 0 to {} as keys, found \"{}\"", vocab_size - 1, key));
  }
  return id;
}

// Ids the map leaves out at its end are padding of the embedding and their own complements.
std::vector<std::int32_t> parse_complement_map(const JsonValue& map, std::int64_t vocab_size) {
  const auto size = static_cast<std::size_t>(vocab_size);
  std::vector<std::int32_t> complement(size, -1);
  const auto members = map.members();
  for (const auto& [key, value] : members) {
    complement[static_cast<std::size_t>(parse_token_id(map, key, vocab_size))] =
        static_cast<std::int32_t>(value.integer(0, vocab_size - 1));
  }
  for (std::size_t id = 0; id < size; ++id) {
    if (complement[id] >= 0) continue;
    if (id < members.size()) map.fail(fmt::format("the token id {} is missing", id));
    complement[id] = static_cast<std::int32_t>(id);
  }
  for (std::size_t id = 0; id < size; ++id) {
    const auto other = static_cast<std::size_t>(complement[id]);
    if (complement[other] != static_cast<std::int32_t>(id)) {
      map.fail(fmt::format("expected pairs of complements, but {} maps to {} and {} to {}", id,
                           other, other, complement[other]));
    }
  }
  return complement;
}

BidirectionalStrategy parse_strategy(const JsonValue& config) {
  const auto value = config.find("bidirectional_strategy");
  if (!value || value->text() == "add") return BidirectionalStrategy::add;
  if (value->text() == "ew_multiply") return BidirectionalStrategy::multiply;
  value->fail(fmt::format("expected \"add\", \"ew_multiply\" or null, found {}", value->excerpt()));
}

CaduceusConfig parse_caduceus(const JsonValue& config, std::vector<std::string>& warnings) {
  CaduceusConfig result;
  result.d_model = required(config, "d_model", max_d_model);
  result.n_layer = required(config, "n_layer", max_layers);
  result.unpadded_vocab_size = required(config, "vocab_size", max_vocab_size);
  result.vocab_size = padded(result.unpadded_vocab_size,
                             config.integer_or("pad_vocab_size_multiple", 8, 1, max_vocab_size));
  result.mixer = parse_ssm_cfg(config, result.d_model, warnings);
  result.rms_norm = config.boolean_or("rms_norm", true);
  result.residual_in_fp32 = config.boolean_or("residual_in_fp32", true);
  result.fused_add_norm = config.boolean_or("fused_add_norm", true);
  result.norm_epsilon = epsilon_or_default(config, "norm_epsilon");
  result.bidirectional = config.boolean_or("bidirectional", true);
  result.bidirectional_strategy = parse_strategy(config);
  result.bidirectional_weight_tie = config.boolean_or("bidirectional_weight_tie", true);
  result.rcps = config.boolean_or("rcps", false);
  if (const auto map = config.find("complement_map")) {
    result.complement_map = parse_complement_map(*map, result.vocab_size);
  } else if (result.rcps) {
    config.fail("'rcps' is true, but 'complement_map' is missing");
  }
  return result;
}

MambaHfConfig parse_mamba_hf(const JsonValue& config) {
  MambaHfConfig result;
  result.d_model = required(config, "hidden_size", max_d_model);
  result.n_layer = required(config, "num_hidden_layers", max_layers);
  result.vocab_size = required(config, "vocab_size", max_vocab_size);
  result.mixer.d_state = config.integer_or("state_size", 16, 1, max_d_state);
  result.mixer.d_conv = config.integer_or("conv_kernel", 4, 1, max_d_conv);
  result.mixer.expand = config.integer_or("expand", 2, 1, max_expand);
  result.mixer.dt_rank = parse_dt_rank(config.find("time_step_rank"), result.d_model);
  result.mixer.conv_bias = config.boolean_or("use_conv_bias", true);
  result.mixer.bias = config.boolean_or("use_bias", false);
  result.norm_epsilon = epsilon_or_default(config, "layer_norm_epsilon");
  result.residual_in_fp32 = config.boolean_or("residual_in_fp32", true);
  result.tie_embeddings = config.boolean_or("tie_word_embeddings", true);
  if (const auto activation = config.find("hidden_act");
      activation && activation->text() != "silu") {
    activation->fail(fmt::format("the activation {} is not supported; supported is \"silu\"",
                                 activation->excerpt()));
  }
  if (const auto inner = config.find("intermediate_size")) {
    if (inner->integer() != result.d_inner()) {
      inner->fail(fmt::format("expected expand * hidden_size = {}, found {}", result.d_inner(),
                              inner->excerpt()));
    }
  }
  return result;
}

MambaSsmConfig parse_mamba_ssm(const JsonValue& config, std::vector<std::string>& warnings) {
  MambaSsmConfig result;
  result.d_model = required(config, "d_model", max_d_model);
  result.n_layer = required(config, "n_layer", max_layers);
  result.unpadded_vocab_size = required(config, "vocab_size", max_vocab_size);
  result.vocab_size = padded(result.unpadded_vocab_size,
                             config.integer_or("pad_vocab_size_multiple", 8, 1, max_vocab_size));
  result.mixer = parse_ssm_cfg(config, result.d_model, warnings);
  result.rms_norm = config.boolean_or("rms_norm", true);
  result.residual_in_fp32 = config.boolean_or("residual_in_fp32", true);
  result.fused_add_norm = config.boolean_or("fused_add_norm", true);
  result.norm_epsilon = epsilon_or_default(config, "norm_epsilon");
  result.tie_embeddings = config.boolean_or("tie_embeddings", true);
  if (const auto attention = config.find("attn_layer_idx");
      attention && !attention->elements().empty()) {
    attention->fail(
        fmt::format("attention layers are not supported, found {}", attention->excerpt()));
  }
  if (const auto width = config.find("d_intermediate"); width && width->integer() != 0) {
    width->fail(
        fmt::format("MLP layers are not supported: expected 0, found {}", width->excerpt()));
  }
  return result;
}

std::string model_type_of(const JsonValue& config, std::vector<std::string>& warnings) {
  if (const auto type = config.find("model_type")) return type->text();
  const bool has_mamba_keys =
      config.contains("d_model") && config.contains("n_layer") && config.contains("vocab_size");
  const bool has_other_keys = config.contains("rcps") || config.contains("bidirectional") ||
                              config.contains("mode") || config.contains("layer");
  if (!has_mamba_keys || has_other_keys) {
    config.fail(
        fmt::format("the key 'model_type' is missing; supported: {}", supported_model_types()));
  }
  warnings.push_back(
      fmt::format("{}: no 'model_type'; taken for \"mamba_ssm\" by its keys", config.source()));
  return "mamba_ssm";
}

}  // namespace

std::string supported_model_types() {
  return "caduceus, mamba, mamba_ssm, s4, s4_block";
}

ModelConfig parse_model_config(const JsonValue& config) {
  ModelConfig result;
  result.model_type = model_type_of(config, result.warnings);
  if (result.model_type == "caduceus") {
    result.model = parse_caduceus(config, result.warnings);
  } else if (result.model_type == "mamba") {
    result.model = parse_mamba_hf(config);
  } else if (result.model_type == "mamba_ssm") {
    result.model = parse_mamba_ssm(config, result.warnings);
  } else if (result.model_type == "s4" || result.model_type == "s4_block") {
    result.model = parse_s4_config(config, result.model_type == "s4_block", result.warnings);
  } else {
    config.at("model_type")
        .fail(fmt::format("the model type \"{}\" is not supported; supported: {}",
                          result.model_type, supported_model_types()));
  }
  return result;
}

std::int64_t ModelConfig::vocab_size() const noexcept {
  return std::visit([](const auto& config) { return config.vocab_size; }, model);
}

std::int64_t ModelConfig::d_model() const noexcept {
  return std::visit([](const auto& config) { return config.d_model; }, model);
}

std::int64_t ModelConfig::n_layer() const noexcept {
  return std::visit([](const auto& config) { return config.n_layer; }, model);
}

const std::vector<std::int32_t>& ModelConfig::complement_map() const noexcept {
  static const std::vector<std::int32_t> none;
  const auto* caduceus = std::get_if<CaduceusConfig>(&model);
  return caduceus == nullptr ? none : caduceus->complement_map;
}

}  // namespace ssmgen::models
