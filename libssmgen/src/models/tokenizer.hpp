#pragma once
// Which token ids stand for the bases: read from the model directory where it says, else the table
// of Caduceus and HyenaDNA.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "genome/tokens.hpp"
#include "models/model_config.hpp"

namespace ssmgen::models {

/// What a directory says of its tokens.
struct ModelVocabulary {
  bool is_dna = false;  ///< one token a base, with A, C, G and T
  std::string note;     ///< where the ids come from, or why the model has no DNA vocabulary
  /// Of use only when is_dna. A vocabulary without N uses `unknown` for it, one without [UNK] uses
  /// N; `mask` is -1 when there is no mask token; without [PAD], `pad` is N.
  genome::DnaVocabulary dna;
  std::optional<std::int32_t> separator;  ///< [SEP]
  std::optional<std::int32_t> start;      ///< [CLS]
  std::int64_t max_length = 0;            ///< model_max_length in tokens; 0 when there is none
  std::vector<std::string> warnings;

  bool has_mask() const noexcept { return is_dna && dna.mask >= 0; }
};

/// Reads tokenizer.json, else vocab.json, else vocab.txt, else the "characters" of
/// tokenizer_config.json, else takes the default table. A vocabulary whose tokens are not single
/// bases is not an error: the result says why it is not DNA.
/// @throws FormatError for a malformed file, an id beyond the embedding or ids that the
/// complement_map does not pair.
ModelVocabulary read_vocabulary(const std::filesystem::path& directory, const ModelConfig& config);

}  // namespace ssmgen::models
