#include "genome/tokens.hpp"

#include <cstddef>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"

namespace ssmgen::genome {

DnaVocabulary default_dna_vocabulary() {
  return {.base_ids = {7, 8, 9, 10}, .n = 11, .mask = 3, .unknown = 6, .pad = 4};
}

DnaEncoder::DnaEncoder(const DnaVocabulary& vocabulary) {
  ids_.fill(vocabulary.unknown);
  const auto set = [this](char upper, std::int32_t id) {
    ids_[static_cast<unsigned char>(upper)] = id;
    ids_[static_cast<unsigned char>(upper - 'A' + 'a')] = id;
  };
  for (std::size_t i = 0; i < vocabulary.base_ids.size(); ++i) {
    set(kBaseLetters[i], vocabulary.base_ids[i]);
  }
  set('N', vocabulary.n);
}

void DnaEncoder::encode(std::string_view letters, std::span<std::int32_t> ids) const {
  if (ids.size() != letters.size()) {
    throw InvalidArgument(fmt::format("encode: {} letters need as many ids, there is room for {}",
                                      letters.size(), ids.size()));
  }
  for (std::size_t i = 0; i < letters.size(); ++i) ids[i] = (*this)(letters[i]);
}

void encode(std::string_view letters, const DnaVocabulary& vocabulary,
            std::span<std::int32_t> ids) {
  DnaEncoder(vocabulary).encode(letters, ids);
}

}  // namespace ssmgen::genome
