#include "tasks/reference_check.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"

namespace ssmgen::tasks {
namespace {

// A wrong reference is judged by the first records that were compared; fewer than the smallest
// sample say nothing and are reported one by one.
constexpr std::int64_t sample_records = 1000;
constexpr std::int64_t smallest_sample = 10;
constexpr std::int64_t mismatches_told = 5;

std::string first_names(const Genome& genome) {
  std::string names;
  const std::size_t count = std::min<std::size_t>(3, genome.contigs().size());
  for (std::size_t i = 0; i < count; ++i) {
    names += (i == 0 ? "" : ", ") + genome.contigs()[i].name;
  }
  return names + (genome.contigs().size() > count ? ", ..." : "");
}

}  // namespace

genome::Reason ReferenceCheck::check(const RecordText& record, std::int64_t contig) {
  ++records_;
  if (contig < 0) {
    ++without_contig_;
    if (first_missing_.empty()) {
      first_missing_ = record.contig;
      observer_.on_warning(fmt::format(
          "{}: record {}: contig {} is not in {}: its records stay unscored (no_contig)", source_,
          record.number, record.contig, genome_.name()));
    }
    return genome::Reason::no_contig;
  }
  const std::int64_t length = genome_.contigs()[static_cast<std::size_t>(contig)].length;
  const auto bases = static_cast<std::int64_t>(record.ref.size());
  if (record.position < 0 || bases > length || record.position > length - bases) {
    return genome::Reason::off_contig;
  }
  genome_.fetch(contig, record.position, record.position + bases, found_);
  const bool matches = genome::iupac_matches(found_, record.ref);
  ++compared_;
  const genome::Reason reason = matches ? genome::Reason::none : mismatch(record);
  if (compared_ == sample_records) judge();
  return reason;
}

genome::Reason ReferenceCheck::mismatch(const RecordText& record) {
  ++mismatches_;
  constexpr std::size_t longest = 20;
  const auto shortened = [](const std::string& bases) {
    return bases.size() <= longest ? bases : bases.substr(0, longest) + "...";
  };
  const std::string text = fmt::format("{}: record {}: REF at {}:{} is {}, but {} has {}", source_,
                                       record.number, record.contig, record.position + 1,
                                       shortened(record.ref), genome_.name(), shortened(found_));
  if (first_mismatch_.empty()) first_mismatch_ = text;
  if (mode_ == CheckRef::error) {
    throw FormatError(text +
                      ": give the FASTA the file was called on, or --check-ref warn to "
                      "leave such records unscored");
  }
  if (mode_ == CheckRef::warn && mismatches_ <= mismatches_told) {
    observer_.on_warning(text + (mismatches_ < mismatches_told
                                     ? ": unscored (ref_mismatch)"
                                     : ": unscored (ref_mismatch); further ones are counted only"));
  }
  return genome::Reason::ref_mismatch;
}

void ReferenceCheck::judge() const {
  const std::int64_t sample = std::min(compared_, sample_records);
  if (sample < smallest_sample || mismatches_ * 2 <= sample) return;
  throw FormatError(
      fmt::format("wrong reference? {} of the first {} REF alleles compared differ from the FASTA "
                  "({}): give the FASTA the file was called on",
                  mismatches_, sample, first_mismatch_));
}

void ReferenceCheck::finish() {
  if (records_ > 0 && without_contig_ == records_) {
    throw FormatError(
        fmt::format("wrong reference? {}: no contig of its {} records is in {}: the file has {}, "
                    "the FASTA has {}: give the FASTA the file was called on",
                    source_, records_, genome_.name(), first_missing_, first_names(genome_)));
  }
  if (compared_ < sample_records) judge();
}

}  // namespace ssmgen::tasks
