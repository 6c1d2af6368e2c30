#pragma once
// What kind of change a REF and ALT of a VCF record describe, and why an allele may stay unscored.

#include <cstdint>
#include <string>
#include <string_view>

namespace ssmgen::genome {

/// The kind of an ALT allele. Letters are compared case-blind.
enum class AlleleKind : std::uint8_t {
  snv,            ///< one base for another
  mnv,            ///< several bases for as many, not the same
  insertion,      ///< ALT begins with the whole of REF (or ends with it) and is longer
  deletion,       ///< REF begins with the whole of ALT (or ends with it) and is longer
  complex_indel,  ///< lengths differ and neither allele contains the other at an end
  same_as_ref,    ///< ALT is REF
  symbolic,       ///< <DEL>, <INS>, <*>, <NON_REF>: the sequence is not given
  star,           ///< *: the base is missing because of a deletion that began upstream
  breakend,       ///< A]chr2:5], [chr2:5[A and the single breakends .A and A.
  missing,        ///< . or an empty text: no allele
  non_acgt,       ///< ALT has an N, an IUPAC code or any other character
  ref_non_acgt,   ///< ALT is a sequence, but REF has an N, an IUPAC code or another character
};

/// REF, ALT and their kind, letters upper-cased.
struct Allele {
  AlleleKind kind = AlleleKind::missing;
  std::string ref;
  std::string alt;
};

/// The kind of `alt` against `ref`.
AlleleKind classify_allele(std::string_view ref, std::string_view alt);

/// Upper-cases both and classifies them.
Allele make_allele(std::string_view ref, std::string_view alt);

/// The name of a kind: "snv", "complex_indel", ...
std::string_view allele_kind_name(AlleleKind kind);

/// Why an allele has no score. The names go into the output (SSM_REASON).
enum class Reason : std::uint8_t {
  none,              ///< scored; written as "."
  symbolic,          ///< AlleleKind::symbolic
  star,              ///< AlleleKind::star
  breakend,          ///< AlleleKind::breakend
  missing_alt,       ///< AlleleKind::missing
  same_as_ref,       ///< AlleleKind::same_as_ref: nothing changes
  non_acgt,          ///< AlleleKind::non_acgt: the model has no such base
  ref_n,             ///< REF or the FASTA has N or another IUPAC code at the site: no base to read
  ref_mismatch,      ///< REF is not what the FASTA says
  no_contig,         ///< the FASTA has no such contig
  off_contig,        ///< position 0 (a telomere), or REF runs past the end of the contig
  too_long,          ///< the alleles do not fit into the window
  edge,              ///< the contig's end leaves too little of the window
  unsupported_kind,  ///< a sequence allele, but no mode asked for scores its kind
  not_finite,        ///< the model gave no finite number
};

/// How many reasons there are, `none` included: the size of an array of counts.
inline constexpr int kReasonCount = 15;

/// The name of a reason as written to files: "symbolic", "ref_mismatch", ...; "." for none.
std::string_view reason_name(Reason reason);

/// The reason that a kind alone gives: `none` for SNV, MNV, insertion, deletion and complex_indel.
Reason reason_of(AlleleKind kind);

}  // namespace ssmgen::genome
