#pragma once
// Records in, scores and reasons out: what a file's variants and those in memory share.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "genome/contig_names.hpp"
#include "tasks/pass_pace.hpp"
#include "tasks/reference_check.hpp"
#include "tasks/site_scorer.hpp"

namespace ssmgen::tasks {

class RecordScorer {
 public:
  /// Records that wait for their windows, at the most: what bounds memory.
  static constexpr std::size_t records_in_flight = 8192;

  /// @param source what messages call the place of the records
  /// @param declared contigs that the records may name, as far as known
  RecordScorer(const Model::Impl& model, const ScoreSettings& settings, CheckRef check_ref,
               std::string source, std::span<const genome::Contig> declared, Genome& genome,
               ScoreObserver& observer);

  /// Asks for the windows of a record's alleles. @throws FormatError for a wrong reference.
  std::vector<PlannedAllele> plan(const RecordText& record, std::span<const std::string> alts);

  /// True when it is time for run().
  bool is_due(std::size_t records_waiting) const;
  /// Passes the windows asked for through the model.
  void run();

  static bool is_ready(std::span<const PlannedAllele> alleles);

  /// Scores of a record that is ready, (alleles, modes), and why an allele has none ("" for one
  /// that has); counts them.
  void scores(std::span<const PlannedAllele> alleles, std::vector<float>& values,
              std::vector<std::string>& reasons);

  /// Contigs that go by another name in the genome, told once each.
  void say_reconciled();

  /// After the last record, before its windows are run. @throws FormatError for a wrong reference.
  void finish_plans();

  genome::ContigNames& names() noexcept { return names_; }
  /// What was done so far, but for the time it took.
  ScoreSummary summary() const;

 private:
  const ScoreSettings& settings_;
  std::string source_;
  Genome& genome_;
  ScoreObserver& observer_;
  genome::ContigNames names_;
  ReferenceCheck check_;
  WindowPasses passes_;
  SiteScorer scorer_;
  PassPace pace_;
  std::size_t reconciled_said_ = 0;
  std::vector<float> of_allele_;
  ScoreSummary summary_;
};

}  // namespace ssmgen::tasks
