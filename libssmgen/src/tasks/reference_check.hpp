#pragma once
// Is the FASTA the genome the VCF was called on?

#include <cstdint>
#include <ssmgen/score.hpp>
#include <string>

#include "genome/allele.hpp"
#include "io/fasta.hpp"
#include "io/vcf_reader.hpp"

namespace ssmgen::tasks {

/// Compares each record's REF with the FASTA, case-blind and IUPAC-aware, and stops a run whose
/// first records say that the reference is the wrong one.
class ReferenceCheck {
 public:
  ReferenceCheck(CheckRef mode, const io::VcfReader& reader, io::Fasta& fasta,
                 ScoreObserver& observer)
      : mode_(mode), reader_(reader), fasta_(fasta), observer_(observer) {}

  /// Why the record's place cannot be scored, `none` when it can. `contig` is its index in the
  /// FASTA, -1 for none. @throws FormatError by CheckRef::error, or for a wrong reference.
  genome::Reason check(const io::VcfRecord& record, std::int64_t contig);

  /// To be called after the last record. @throws FormatError for a wrong reference.
  void finish();

  std::int64_t mismatches() const noexcept { return mismatches_; }

 private:
  void judge() const;
  genome::Reason mismatch(const io::VcfRecord& record);

  CheckRef mode_;
  const io::VcfReader& reader_;
  io::Fasta& fasta_;
  ScoreObserver& observer_;
  std::int64_t records_ = 0;
  std::int64_t without_contig_ = 0;
  std::int64_t compared_ = 0;
  std::int64_t mismatches_ = 0;
  std::string first_mismatch_;
  std::string first_missing_;
  std::string found_;  // reused
};

}  // namespace ssmgen::tasks
