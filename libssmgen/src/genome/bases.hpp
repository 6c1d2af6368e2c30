#pragma once
// Letters of DNA: upper-casing, complements and the IUPAC alphabet. All of it is table look-up.

#include <cstdint>
#include <string>
#include <string_view>

namespace ssmgen::genome {

/// Upper case of an ASCII letter; every other byte comes back as it is, whatever the locale.
char upper_base(char letter);

/// Upper-cases `letters` in place.
void upper_case(std::string& letters);

/// Complement of a base or IUPAC code (R<->Y, K<->M, B<->V, D<->H; S, W, N to themselves; U to A),
/// case kept; any other byte comes back as it is.
char complement(char letter);

/// The sequence of the other strand: complemented and read backwards, case kept.
std::string reverse_complement(std::string_view letters);

/// True for A, C, G and T in either case.
bool is_acgt(char letter);

/// True when every letter is A, C, G or T in either case; an empty sequence is not.
bool is_acgt(std::string_view letters);

/// A, C, G, T in either case -> 0, 1, 2, 3; -1 for anything else.
int base_index(char letter);

/// The base of an index 0..3.
inline constexpr char kBaseLetters[] = "ACGT";

/// Which bases an IUPAC letter stands for, as bits 1 (A), 2 (C), 4 (G), 8 (T or U); N is 15 and a
/// letter outside the alphabet 0. Either case.
std::uint8_t iupac_mask(char letter);

/// Where the first letter lies that is no IUPAC code of DNA (U is none); npos when all are.
std::size_t find_no_base_code(std::string_view letters);

/// True when `allele_letter` may stand where the reference says `reference_letter`: equal letters,
/// or two codes of which one stands for a subset of the other (FASTA M accepts REF A and REF M).
/// Case-blind.
bool iupac_matches(char reference_letter, char allele_letter);

/// The same letter by letter; false when the lengths differ.
bool iupac_matches(std::string_view reference_letters, std::string_view allele_letters);

}  // namespace ssmgen::genome
