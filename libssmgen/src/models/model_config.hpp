#pragma once
// config.json as typed, checked structs, one for each kind of model. Defaults are those of the
// public implementations (caduceus, mamba-ssm, transformers) for keys a config leaves out.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "models/s4_config.hpp"

namespace ssmgen::models {

/// The Mamba-1 mixer's sizes (mamba-ssm's ssm_cfg).
struct MixerConfig {
  std::int64_t d_state = 16;  ///< states of a channel
  std::int64_t d_conv = 4;    ///< width of the causal convolution
  std::int64_t expand = 2;    ///< d_inner / d_model
  std::int64_t dt_rank = 0;   ///< ceil(d_model / 16) when the file says "auto"
  bool conv_bias = true;
  bool bias = false;  ///< of in_proj and out_proj
};

/// How the two directions of a bidirectional mixer are combined.
enum class BidirectionalStrategy : std::uint8_t { add, multiply };

/// model_type "caduceus".
struct CaduceusConfig {
  std::int64_t d_model = 0;
  std::int64_t n_layer = 0;
  std::int64_t vocab_size = 0;           ///< rows of the embedding, padding included
  std::int64_t unpadded_vocab_size = 0;  ///< as written in config.json
  MixerConfig mixer;
  bool rms_norm = true;  ///< else LayerNorm
  bool residual_in_fp32 = true;
  bool fused_add_norm = true;  ///< with rcps, the halves swap at every block
  double norm_epsilon = 1e-5;
  bool bidirectional = true;
  BidirectionalStrategy bidirectional_strategy = BidirectionalStrategy::add;
  bool bidirectional_weight_tie = true;
  bool rcps = false;
  /// Token id -> id of the complement, vocab_size long, an involution; empty when the file has none
  /// (never when rcps).
  std::vector<std::int32_t> complement_map;

  std::int64_t d_inner() const noexcept { return d_model * mixer.expand; }
};

/// model_type "mamba" (Hugging Face transformers); RMSNorm, unfused, tied head by default.
struct MambaHfConfig {
  std::int64_t d_model = 0;     ///< hidden_size
  std::int64_t n_layer = 0;     ///< num_hidden_layers
  std::int64_t vocab_size = 0;  ///< rows of the embedding
  MixerConfig mixer;            ///< state_size, conv_kernel, expand, time_step_rank, use_*bias
  double norm_epsilon = 1e-5;   ///< layer_norm_epsilon
  bool residual_in_fp32 = true;
  bool tie_embeddings = true;  ///< tie_word_embeddings

  std::int64_t d_inner() const noexcept { return d_model * mixer.expand; }
};

/// model_type "mamba_ssm" (state-spaces/mamba), ssm_cfg.layer "Mamba1".
struct MambaSsmConfig {
  std::int64_t d_model = 0;
  std::int64_t n_layer = 0;
  std::int64_t vocab_size = 0;           ///< rows of the embedding, padding included
  std::int64_t unpadded_vocab_size = 0;  ///< as written in config.json
  MixerConfig mixer;
  bool rms_norm = true;  ///< else LayerNorm
  bool residual_in_fp32 = true;
  bool fused_add_norm = true;  ///< changes nothing but rounding
  double norm_epsilon = 1e-5;
  bool tie_embeddings = true;

  std::int64_t d_inner() const noexcept { return d_model * mixer.expand; }
};

/// A parsed config with what should be said about it.
struct ModelConfig {
  std::string model_type;
  std::variant<CaduceusConfig, MambaHfConfig, MambaSsmConfig, S4Config> model;
  std::vector<std::string> warnings;  ///< keys that are not known and were left aside, and the like

  std::int64_t vocab_size() const noexcept;  ///< rows of the embedding; 0 for none
  std::int64_t d_model() const noexcept;
  std::int64_t n_layer() const noexcept;
  /// Empty when the model has none.
  const std::vector<std::int32_t>& complement_map() const noexcept;
};

/// "caduceus, mamba, mamba_ssm, s4, s4_block", for help and messages.
std::string supported_model_types();

/// Reads `config` (the whole config.json) by its model_type. A config without model_type that has
/// mamba-ssm's keys is taken for "mamba_ssm", as published state-spaces models come without it.
/// @throws FormatError naming file and key: unknown model_type or word, missing key, wrong type, a
/// value out of range or one that this version does not support.
ModelConfig parse_model_config(const base::JsonValue& config);

}  // namespace ssmgen::models
