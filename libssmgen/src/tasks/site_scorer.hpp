#pragma once
// From a record to the windows it needs, and from their probabilities to its scores.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "genome/allele.hpp"
#include "tasks/score_settings.hpp"
#include "tasks/window_passes.hpp"

namespace ssmgen::tasks {

/// One allele of a record on its way through the model.
struct PlannedAllele {
  genome::Reason reason = genome::Reason::none;
  genome::Allele allele;
  std::int64_t site_offset = 0;  ///< of REF's first base in the window, plus strand
  /// What each mode reads, in the settings' order: plus strand, then minus, as far as read; a
  /// causal mode reads REF, then ALT on each strand.
  std::vector<PassRead> reads;
};

/// A site of the reference: a contig of the FASTA and where REF begins on it.
struct Site {
  std::int64_t contig = 0;
  std::int64_t contig_length = 0;
  std::int64_t position = 0;
};

class SiteScorer {
 public:
  SiteScorer(const ScoreSettings& settings, WindowPasses& passes)
      : settings_(settings), passes_(passes) {}

  /// Asks for the windows of one allele, or gives the reason why it cannot be scored.
  PlannedAllele plan(const Site& site, std::string_view ref, std::string_view alt);

  /// True when every window the allele needs has been run.
  static bool is_ready(const PlannedAllele& planned);

  /// One value a mode, in the settings' order; NaN for all when the allele has a reason.
  void scores(const PlannedAllele& planned, std::vector<float>& values) const;

 private:
  void plan_strand(ScoreMode mode, const WindowKey& window, bool minus, PlannedAllele& planned);
  double substitution(const PlannedAllele& planned, const PassRead& read, bool minus) const;
  /// Sum over the bases after the read's first position, each given those before it.
  double log_likelihood(const PassRead& read) const;

  const ScoreSettings& settings_;
  WindowPasses& passes_;
};

}  // namespace ssmgen::tasks
