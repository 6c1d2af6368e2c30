#pragma once
// From letters to the token ids of a DNA model. Only the ids differ between checkpoints: the text
// is always upper-cased first, N has an id of its own and every other letter is "unknown".

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace ssmgen::genome {

/// The token ids a DNA checkpoint uses.
struct DnaVocabulary {
  /// Ids of A, C, G, T in this order.
  std::array<std::int32_t, 4> base_ids{};
  /// Id of N, the base that is not known.
  std::int32_t n = 0;
  /// Id that hides a base from a masked model.
  std::int32_t mask = 0;
  /// Id of every letter that is neither a base nor N, IUPAC codes included.
  std::int32_t unknown = 0;
  /// Id that fills a batch up.
  std::int32_t pad = 0;

  bool operator==(const DnaVocabulary&) const = default;
};

/// The vocabulary of Caduceus and HyenaDNA: [MASK] 3, [PAD] 4, [UNK] 6, A 7, C 8, G 9, T 10, N 11.
DnaVocabulary default_dna_vocabulary();

/// A vocabulary spread out to one id a byte, so that encoding is one look-up a base.
class DnaEncoder {
 public:
  explicit DnaEncoder(const DnaVocabulary& vocabulary);

  /// The id of one letter, either case.
  std::int32_t operator()(char letter) const { return ids_[static_cast<unsigned char>(letter)]; }

  /// Writes the id of each letter to `ids`.
  /// @throws InvalidArgument when `ids` has not the length of `letters`.
  void encode(std::string_view letters, std::span<std::int32_t> ids) const;

 private:
  std::array<std::int32_t, 256> ids_{};
};

/// Encodes once; keep a DnaEncoder where many windows are encoded.
/// @throws InvalidArgument when `ids` has not the length of `letters`.
void encode(std::string_view letters, const DnaVocabulary& vocabulary, std::span<std::int32_t> ids);

}  // namespace ssmgen::genome
