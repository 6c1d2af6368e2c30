#include <algorithm>
#include <chrono>
#include <ssmgen/score.hpp>

#include "tasks/record_scorer.hpp"

namespace ssmgen {
namespace tasks {
namespace {

constexpr std::size_t variants_between_reports = 1024;

std::vector<genome::Contig> contigs_of(std::span<const Variant> variants) {
  std::vector<genome::Contig> contigs;
  // Names of neighbours are equal more often than not; ContigNames counts a repeated one once.
  for (const Variant& variant : variants) {
    if (contigs.empty() || contigs.back().name != variant.contig) {
      contigs.push_back({variant.contig, -1});
    }
  }
  return contigs;
}

class VariantRun {
 public:
  VariantRun(const Model& model, std::span<const Variant> variants, Genome& genome,
             const ScoreChoices& choices, ScoreObserver& observer)
      : variants_(variants),
        observer_(observer),
        settings_(resolve_score_settings(model.info(), choices)),
        scorer_(model.impl(), settings_, choices.check_ref, "variants", contigs_of(variants),
                genome, observer) {
    scores_.modes = settings_.modes;
    scores_.window_bases = settings_.window_bases;
    for (const Variant& variant : variants) {
      scores_.alleles += static_cast<std::int64_t>(variant.alts.size());
    }
    scores_.values.resize(settings_.modes.size() * static_cast<std::size_t>(scores_.alleles));
    scores_.reasons.reserve(static_cast<std::size_t>(scores_.alleles));
    planned_.resize(variants.size());
  }

  VariantScores run() {
    for (read_ = 0; read_ < variants_.size();) {
      const Variant& variant = variants_[read_];
      planned_[read_] = scorer_.plan(
          {variant.contig, variant.position, variant.ref, static_cast<std::int64_t>(read_) + 1},
          variant.alts);
      ++read_;
      if (scorer_.is_due(read_ - done_)) {
        scorer_.run();
        report();
      } else if (read_ % variants_between_reports == 0) {
        report();
      }
      take_ready();
    }
    scorer_.finish_plans();
    scorer_.run();
    take_ready();
    report();
    scores_.summary = scorer_.summary();
    scores_.summary.seconds = seconds();
    return std::move(scores_);
  }

 private:
  void take_ready() {
    for (; done_ < read_ && RecordScorer::is_ready(planned_[done_]); ++done_) {
      scorer_.scores(planned_[done_], values_, reasons_);
      const std::size_t modes = settings_.modes.size();
      const std::size_t first = scores_.reasons.size();
      for (std::size_t i = 0; i < values_.size(); ++i) {
        const std::size_t row = i % modes * static_cast<std::size_t>(scores_.alleles);
        scores_.values[row + first + i / modes] = values_[i];
      }
      scores_.reasons.insert(scores_.reasons.end(), reasons_.begin(), reasons_.end());
      planned_[done_] = {};
    }
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report() {
    observer_.on_progress(
        {static_cast<std::int64_t>(read_), static_cast<std::int64_t>(done_), 0, -1, seconds()});
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::span<const Variant> variants_;
  ScoreObserver& observer_;
  ScoreSettings settings_;
  RecordScorer scorer_;
  std::vector<std::vector<PlannedAllele>> planned_;
  std::size_t read_ = 0;
  std::size_t done_ = 0;
  std::vector<float> values_;
  std::vector<std::string> reasons_;
  VariantScores scores_;
};

}  // namespace
}  // namespace tasks

VariantScores score_variants(const Model& model, std::span<const Variant> variants, Genome& genome,
                             const ScoreChoices& choices, ScoreObserver& observer) {
  return tasks::VariantRun(model, variants, genome, choices, observer).run();
}

}  // namespace ssmgen
