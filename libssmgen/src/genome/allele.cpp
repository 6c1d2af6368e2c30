#include "genome/allele.hpp"

#include <algorithm>

#include "genome/bases.hpp"

namespace ssmgen::genome {
namespace {

bool equal_case_blind(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper_base(x) == upper_base(y); });
}

// Whether `shorter` is what `longer` begins or ends with.
bool is_at_an_end(std::string_view longer, std::string_view shorter) {
  return equal_case_blind(longer.substr(0, shorter.size()), shorter) ||
         equal_case_blind(longer.substr(longer.size() - shorter.size()), shorter);
}

}  // namespace

AlleleKind classify_allele(std::string_view ref, std::string_view alt) {
  if (alt.empty() || alt == ".") return AlleleKind::missing;
  if (alt == "*") return AlleleKind::star;
  // Brackets before angles: a breakend may name an assembly contig, as in A[<ctg1>:7[.
  if (alt.find_first_of("[]") != std::string_view::npos) return AlleleKind::breakend;
  if (alt.find('<') != std::string_view::npos) return AlleleKind::symbolic;
  if (alt.front() == '.' || alt.back() == '.') return AlleleKind::breakend;
  if (equal_case_blind(ref, alt)) return AlleleKind::same_as_ref;
  if (!is_acgt(alt)) return AlleleKind::non_acgt;
  if (!is_acgt(ref)) return AlleleKind::ref_non_acgt;
  if (ref.size() == alt.size()) return ref.size() == 1 ? AlleleKind::snv : AlleleKind::mnv;
  if (alt.size() > ref.size()) {
    return is_at_an_end(alt, ref) ? AlleleKind::insertion : AlleleKind::complex_indel;
  }
  return is_at_an_end(ref, alt) ? AlleleKind::deletion : AlleleKind::complex_indel;
}

Allele make_allele(std::string_view ref, std::string_view alt) {
  Allele allele{classify_allele(ref, alt), std::string(ref), std::string(alt)};
  upper_case(allele.ref);
  upper_case(allele.alt);
  return allele;
}

std::string_view allele_kind_name(AlleleKind kind) {
  switch (kind) {
    case AlleleKind::snv:
      return "snv";
    case AlleleKind::mnv:
      return "mnv";
    case AlleleKind::insertion:
      return "insertion";
    case AlleleKind::deletion:
      return "deletion";
    case AlleleKind::complex_indel:
      return "complex_indel";
    case AlleleKind::same_as_ref:
      return "same_as_ref";
    case AlleleKind::symbolic:
      return "symbolic";
    case AlleleKind::star:
      return "star";
    case AlleleKind::breakend:
      return "breakend";
    case AlleleKind::missing:
      return "missing";
    case AlleleKind::non_acgt:
      return "non_acgt";
    case AlleleKind::ref_non_acgt:
      return "ref_non_acgt";
  }
  return "unknown";
}

std::string_view reason_name(Reason reason) {
  switch (reason) {
    case Reason::none:
      return ".";
    case Reason::symbolic:
      return "symbolic";
    case Reason::star:
      return "star";
    case Reason::breakend:
      return "breakend";
    case Reason::missing_alt:
      return "missing_alt";
    case Reason::same_as_ref:
      return "same_as_ref";
    case Reason::non_acgt:
      return "non_acgt";
    case Reason::ref_n:
      return "ref_n";
    case Reason::ref_mismatch:
      return "ref_mismatch";
    case Reason::no_contig:
      return "no_contig";
    case Reason::off_contig:
      return "off_contig";
    case Reason::too_long:
      return "too_long";
    case Reason::edge:
      return "edge";
    case Reason::unsupported_kind:
      return "unsupported_kind";
    case Reason::not_finite:
      return "not_finite";
  }
  return "unknown";
}

Reason reason_of(AlleleKind kind) {
  switch (kind) {
    case AlleleKind::snv:
    case AlleleKind::mnv:
    case AlleleKind::insertion:
    case AlleleKind::deletion:
    case AlleleKind::complex_indel:
      return Reason::none;
    case AlleleKind::same_as_ref:
      return Reason::same_as_ref;
    case AlleleKind::symbolic:
      return Reason::symbolic;
    case AlleleKind::star:
      return Reason::star;
    case AlleleKind::breakend:
      return Reason::breakend;
    case AlleleKind::missing:
      return Reason::missing_alt;
    case AlleleKind::non_acgt:
      return Reason::non_acgt;
    case AlleleKind::ref_non_acgt:
      return Reason::ref_n;
  }
  return Reason::none;
}

}  // namespace ssmgen::genome
