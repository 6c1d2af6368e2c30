#include "tasks/site_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "genome/bases.hpp"
#include "genome/window.hpp"

namespace ssmgen::tasks {
namespace {

// On the minus strand a base is read as its complement: A, C, G, T are 0..3 and so complement to
// 3 - index.
int read_base(char letter, bool minus) {
  const int base = genome::base_index(letter);
  return minus ? 3 - base : base;
}

}  // namespace

PlannedAllele SiteScorer::plan(const Site& site, std::string_view ref, std::string_view alt) {
  PlannedAllele planned;
  planned.allele = genome::make_allele(ref, alt);
  planned.reason = genome::reason_of(planned.allele.kind);
  if (planned.reason != genome::Reason::none) return planned;
  if (planned.allele.kind != genome::AlleleKind::snv &&
      planned.allele.kind != genome::AlleleKind::mnv) {
    planned.reason = genome::Reason::unsupported_kind;
    return planned;
  }
  const genome::WindowPlacement placement = genome::place_window(
      site.contig_length, site.position, settings_.window_bases, settings_.edge);
  const auto bases = static_cast<std::int64_t>(ref.size());
  if (placement.site_offset + bases > settings_.window_bases) {
    planned.reason = genome::Reason::too_long;
    return planned;
  }
  planned.site_offset = placement.site_offset;
  WindowKey window;
  window.contig = site.contig;
  window.start = placement.start;
  for (const ScoreMode mode : settings_.modes) {
    if (settings_.read_plus) plan_strand(mode, window, false, planned);
    if (settings_.read_minus) plan_strand(mode, window, true, planned);
  }
  return planned;
}

void SiteScorer::plan_strand(ScoreMode mode, const WindowKey& window, bool minus,
                             PlannedAllele& planned) {
  const auto bases = static_cast<std::int64_t>(planned.allele.ref.size());
  const std::int64_t begin =
      minus ? settings_.window_bases - planned.site_offset - bases : planned.site_offset;
  WindowKey key = window;
  key.minus_strand = minus;
  if (mode == ScoreMode::masked) {
    key.edit_offset = planned.site_offset;
    key.mask_bases = bases;
    planned.reads.push_back(passes_.request(key, begin, begin + bases));
    return;
  }
  if (mode == ScoreMode::unmasked) {
    planned.reads.push_back(passes_.request(key, begin, begin + bases));
    return;
  }
  // The bases from the site on are predicted at the positions before them; the window's first base
  // has none before it and is predicted by nothing.
  const std::int64_t first = std::max<std::int64_t>(begin, 1) - 1;
  const std::int64_t last = std::max(first, settings_.window_bases - 1);
  planned.reads.push_back(passes_.request(key, first, last));
  key.edit_offset = planned.site_offset;
  key.replacement = planned.allele.alt;
  planned.reads.push_back(passes_.request(key, first, last));
}

bool SiteScorer::is_ready(const PlannedAllele& planned) {
  return std::all_of(planned.reads.begin(), planned.reads.end(),
                     [](const PassRead& read) { return read.pass->is_done; });
}

double SiteScorer::substitution(const PlannedAllele& planned, const PassRead& read,
                                bool minus) const {
  const auto bases = static_cast<std::int64_t>(planned.allele.ref.size());
  double sum = 0;
  for (std::int64_t i = 0; i < bases; ++i) {
    const std::int64_t position = read.begin + (minus ? bases - 1 - i : i);
    const auto letter = static_cast<std::size_t>(i);
    sum += static_cast<double>(
               read.log_probability(position, read_base(planned.allele.alt[letter], minus))) -
           static_cast<double>(
               read.log_probability(position, read_base(planned.allele.ref[letter], minus)));
  }
  return sum;
}

double SiteScorer::log_likelihood(const PassRead& read) const {
  double sum = 0;
  for (std::int64_t position = read.begin + 1; position < settings_.window_bases; ++position) {
    const int base = genome::base_index(read.pass->letters[static_cast<std::size_t>(position)]);
    if (base >= 0) sum += static_cast<double>(read.log_probability(position - 1, base));
  }
  return sum;
}

void SiteScorer::scores(const PlannedAllele& planned, std::vector<float>& values) const {
  values.clear();
  if (planned.reason != genome::Reason::none) {
    values.assign(settings_.modes.size(), std::numeric_limits<float>::quiet_NaN());
    return;
  }
  std::size_t next = 0;
  for (const ScoreMode mode : settings_.modes) {
    double sum = 0;
    int strands = 0;
    for (const bool minus : {false, true}) {
      if (minus ? !settings_.read_minus : !settings_.read_plus) continue;
      ++strands;
      if (mode == ScoreMode::causal) {
        const PassRead& ref = planned.reads[next++];
        const PassRead& alt = planned.reads[next++];
        sum += log_likelihood(alt) - log_likelihood(ref);
      } else {
        sum += substitution(planned, planned.reads[next++], minus);
      }
    }
    values.push_back(static_cast<float>(sum / strands));
  }
}

}  // namespace ssmgen::tasks
