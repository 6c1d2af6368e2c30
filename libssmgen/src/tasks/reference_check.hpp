#pragma once
// Is this the genome the variants were called on?

#include <cstdint>
#include <ssmgen/score.hpp>
#include <string>

#include "genome/allele.hpp"

namespace ssmgen::tasks {

/// What a record says, wherever it stands.
struct RecordText {
  const std::string& contig;
  std::int64_t position = 0;  ///< 0-based
  const std::string& ref;
  std::int64_t number = 0;  ///< from 1
};

/// Compares each record's REF with the genome, case-blind and IUPAC-aware, and stops a run whose
/// first records say that the reference is the wrong one.
class ReferenceCheck {
 public:
  /// @param source what messages call the place of the records: a path, or a word
  ReferenceCheck(CheckRef mode, std::string source, Genome& genome, ScoreObserver& observer)
      : mode_(mode), source_(std::move(source)), genome_(genome), observer_(observer) {}

  /// Why the record's place cannot be scored, `none` when it can. `contig` is its index in the
  /// genome, -1 for none. @throws FormatError by CheckRef::error, or for a wrong reference.
  genome::Reason check(const RecordText& record, std::int64_t contig);

  /// To be called after the last record. @throws FormatError for a wrong reference.
  void finish();

  std::int64_t mismatches() const noexcept { return mismatches_; }

 private:
  void judge() const;
  genome::Reason mismatch(const RecordText& record);

  CheckRef mode_;
  std::string source_;
  Genome& genome_;
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
