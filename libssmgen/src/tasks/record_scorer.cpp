#include "tasks/record_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace ssmgen::tasks {

RecordScorer::RecordScorer(const Model::Impl& model, const ScoreSettings& settings,
                           CheckRef check_ref, std::string source,
                           std::span<const genome::Contig> declared, Genome& genome,
                           ScoreObserver& observer)
    : settings_(settings),
      source_(std::move(source)),
      genome_(genome),
      observer_(observer),
      names_(genome.contigs(), declared),
      check_(check_ref, source_, genome, observer),
      passes_(model, genome, settings.window_bases),
      scorer_(settings_, passes_) {
  // Windows that cannot be run are refused before memory is taken for them.
  model.runner()->plan(settings.window_bases, 1);
}

std::vector<PlannedAllele> RecordScorer::plan(const RecordText& record,
                                              std::span<const std::string> alts) {
  std::vector<PlannedAllele> alleles;
  Site site;
  site.position = record.position;
  site.contig = names_.find(record.contig);
  const genome::Reason blocked = check_.check(record, site.contig);
  if (site.contig >= 0) {
    site.contig_length = genome_.contigs()[static_cast<std::size_t>(site.contig)].length;
  }
  for (const std::string& alt : alts) {
    // What the allele is comes before where it lies: a <DEL> stays symbolic on any contig.
    const genome::Reason of_kind = genome::reason_of(genome::classify_allele(record.ref, alt));
    if (of_kind == genome::Reason::none && blocked == genome::Reason::none) {
      alleles.push_back(scorer_.plan(site, record.ref, alt));
    } else {
      alleles.emplace_back().reason = of_kind != genome::Reason::none ? of_kind : blocked;
    }
  }
  return alleles;
}

bool RecordScorer::is_due(std::size_t records_waiting) const {
  const std::int64_t batch = settings_.is_batch_free
                                 ? pace_.windows(settings_.window_bases, settings_.batch_windows)
                                 : settings_.batch_windows;
  return passes_.pending() >= batch || records_waiting >= records_in_flight;
}

void RecordScorer::run() {
  const std::int64_t windows = passes_.pending();
  if (windows == 0) return;
  const PassPace::Clock::time_point start = PassPace::Clock::now();
  passes_.run();
  pace_.done(windows * settings_.window_bases, start);
}

bool RecordScorer::is_ready(std::span<const PlannedAllele> alleles) {
  return std::all_of(alleles.begin(), alleles.end(), SiteScorer::is_ready);
}

void RecordScorer::scores(std::span<const PlannedAllele> alleles, std::vector<float>& values,
                          std::vector<std::string>& reasons) {
  values.clear();
  reasons.assign(alleles.size(), "");
  for (std::size_t i = 0; i < alleles.size(); ++i) {
    scorer_.scores(alleles[i], of_allele_);
    // A model whose numbers overflow must not give NaN; the allele says so instead.
    genome::Reason reason = alleles[i].reason;
    if (reason == genome::Reason::none &&
        !std::all_of(of_allele_.begin(), of_allele_.end(),
                     [](float value) { return std::isfinite(value); })) {
      reason = genome::Reason::not_finite;
      std::fill(of_allele_.begin(), of_allele_.end(), std::numeric_limits<float>::quiet_NaN());
    }
    values.insert(values.end(), of_allele_.begin(), of_allele_.end());
    ++summary_.alleles;
    if (reason == genome::Reason::none) {
      ++summary_.scored_alleles;
    } else {
      reasons[i] = genome::reason_name(reason);
      ++summary_.unscored_by_reason[reasons[i]];
    }
  }
  ++summary_.records;
}

// One line for all contigs, be they three or three thousand.
void RecordScorer::say_reconciled() {
  constexpr std::size_t told = 3;
  const auto& pairs = names_.reconciled();
  if (pairs.size() == reconciled_said_) return;
  std::string text;
  for (std::size_t i = reconciled_said_; i < std::min(pairs.size(), reconciled_said_ + told); ++i) {
    const auto& [record_name, genome_name] = pairs[i];
    text += text.empty()
                ? fmt::format("contig {} is {} of {}", record_name, genome_name, genome_.name())
                : fmt::format(", {} is {}", record_name, genome_name);
  }
  if (pairs.size() > reconciled_said_ + told) {
    text += fmt::format(", and {} more by the same rule", pairs.size() - reconciled_said_ - told);
  }
  observer_.on_note(source_ + ": " + text);
  reconciled_said_ = pairs.size();
}

void RecordScorer::finish_plans() {
  check_.finish();
  say_reconciled();
}

ScoreSummary RecordScorer::summary() const {
  ScoreSummary summary = summary_;
  summary.ref_mismatches = check_.mismatches();
  summary.windows = passes_.windows_run();
  return summary;
}

}  // namespace ssmgen::tasks
