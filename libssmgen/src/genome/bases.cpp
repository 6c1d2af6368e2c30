#include "genome/bases.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace ssmgen::genome {
namespace {

constexpr char to_upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
}

constexpr char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr std::size_t index_of(char letter) {
  return static_cast<unsigned char>(letter);
}

constexpr std::array<char, 256> make_complements() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(i);
  constexpr std::string_view from = "ACGTURYKMBDHV";
  constexpr std::string_view to = "TGCAAYRMKVHDB";
  for (std::size_t i = 0; i < from.size(); ++i) {
    table[index_of(from[i])] = to[i];
    table[index_of(to_lower(from[i]))] = to_lower(to[i]);
  }
  return table;
}

constexpr std::array<std::uint8_t, 256> make_masks() {
  std::array<std::uint8_t, 256> table{};
  constexpr std::string_view letters = "ACGTURYSWKMBDHVN";
  constexpr std::array<std::uint8_t, 16> masks{1, 2,  4, 8,  8,  5,  10, 6,
                                               9, 12, 3, 14, 13, 11, 7,  15};
  for (std::size_t i = 0; i < letters.size(); ++i) {
    table[index_of(letters[i])] = masks[i];
    table[index_of(to_lower(letters[i]))] = masks[i];
  }
  return table;
}

constexpr std::array<char, 256> kComplements = make_complements();
constexpr std::array<std::uint8_t, 256> kMasks = make_masks();

}  // namespace

char upper_base(char letter) {
  return to_upper(letter);
}

void upper_case(std::string& letters) {
  for (char& letter : letters) letter = to_upper(letter);
}

char complement(char letter) {
  return kComplements[index_of(letter)];
}

std::string reverse_complement(std::string_view letters) {
  std::string out(letters.size(), '\0');
  for (std::size_t i = 0; i < letters.size(); ++i) {
    out[i] = complement(letters[letters.size() - 1 - i]);
  }
  return out;
}

bool is_acgt(char letter) {
  return base_index(letter) >= 0;
}

bool is_acgt(std::string_view letters) {
  for (char letter : letters) {
    if (!is_acgt(letter)) return false;
  }
  return !letters.empty();
}

int base_index(char letter) {
  switch (to_upper(letter)) {
    case 'A':
      return 0;
    case 'C':
      return 1;
    case 'G':
      return 2;
    case 'T':
      return 3;
    default:
      return -1;
  }
}

std::uint8_t iupac_mask(char letter) {
  return kMasks[index_of(letter)];
}

std::size_t find_no_base_code(std::string_view letters) {
  const auto found = std::find_if(letters.begin(), letters.end(), [](char letter) {
    return iupac_mask(letter) == 0 || to_upper(letter) == 'U';
  });
  if (found == letters.end()) return std::string_view::npos;
  return static_cast<std::size_t>(found - letters.begin());
}

bool iupac_matches(char reference_letter, char allele_letter) {
  if (to_upper(reference_letter) == to_upper(allele_letter)) return true;
  const int reference = iupac_mask(reference_letter);
  const int allele = iupac_mask(allele_letter);
  const int both = reference & allele;
  return both != 0 && (both == reference || both == allele);
}

bool iupac_matches(std::string_view reference_letters, std::string_view allele_letters) {
  if (reference_letters.size() != allele_letters.size()) return false;
  for (std::size_t i = 0; i < reference_letters.size(); ++i) {
    if (!iupac_matches(reference_letters[i], allele_letters[i])) return false;
  }
  return true;
}

}  // namespace ssmgen::genome
