#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <ssmgen/embed.hpp>

#include "tasks/genome.hpp"
#include "tasks/track_passes.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// Hands values of a contig, which come in order, to the regions they belong to.
class RegionValues {
 public:
  RegionValues(std::span<const GenomeRegion> regions, const Genome& genome) : regions_(regions) {
    const std::vector<std::int64_t> contigs = contigs_of_regions(genome, regions);
    by_contig_.resize(genome.contigs().size());
    for (std::size_t i = 0; i < regions.size(); ++i) {
      const GenomeRegion& region = regions[i];
      if (region.begin < region.end) by_contig_[static_cast<std::size_t>(contigs[i])].push_back(i);
      scores_.first_values.push_back(total_);
      total_ += region.end - region.begin;
    }
    scores_.first_values.push_back(total_);
    scores_.values.resize(static_cast<std::size_t>(total_),
                          std::numeric_limits<float>::quiet_NaN());
    for (std::size_t contig = 0; contig < by_contig_.size(); ++contig) {
      std::vector<std::size_t>& numbers = by_contig_[contig];
      std::sort(numbers.begin(), numbers.end(),
                [&](std::size_t a, std::size_t b) { return regions[a].begin < regions[b].begin; });
      if (!numbers.empty()) order_.push_back(static_cast<std::int64_t>(contig));
    }
  }

  /// Contigs that have a region.
  const std::vector<std::int64_t>& order() const { return order_; }

  io::RegionSet set() const {
    std::vector<genome::Region> wanted;
    for (const GenomeRegion& region : regions_) {
      if (region.begin < region.end) wanted.push_back({region.contig, region.begin, region.end});
    }
    return io::RegionSet(wanted);
  }

  void take(std::size_t place, std::int64_t begin, std::span<const float> values) {
    if (place != place_) {
      place_ = place;
      next_ = 0;
      open_.clear();
    }
    const std::int64_t end = begin + static_cast<std::int64_t>(values.size());
    const std::vector<std::size_t>& numbers = by_contig_[static_cast<std::size_t>(order_[place])];
    while (next_ < numbers.size() && regions_[numbers[next_]].begin < end) {
      open_.push_back(numbers[next_++]);
    }
    for (const std::size_t number : open_) {
      const GenomeRegion& region = regions_[number];
      const std::int64_t from = std::max(begin, region.begin);
      const std::int64_t to = std::min(end, region.end);
      if (from >= to) continue;
      std::copy(values.begin() + (from - begin), values.begin() + (to - begin),
                scores_.values.begin() + scores_.first_values[number] + (from - region.begin));
    }
    std::erase_if(open_, [&](std::size_t number) { return regions_[number].end <= end; });
  }

  BaseScores scores() && { return std::move(scores_); }

 private:
  std::span<const GenomeRegion> regions_;
  std::vector<std::vector<std::size_t>> by_contig_;  // numbers of regions, by where they begin
  std::vector<std::int64_t> order_;
  std::int64_t total_ = 0;
  BaseScores scores_;
  std::optional<std::size_t> place_;
  std::size_t next_ = 0;
  std::vector<std::size_t> open_;  // regions that may have values yet to come
};

}  // namespace
}  // namespace tasks

BaseScores score_bases(const Model& model, Genome& genome, std::span<const GenomeRegion> regions,
                       const TrackChoices& choices, const EmbedProgressCallback& on_progress) {
  const auto start = std::chrono::steady_clock::now();
  const tasks::ResolvedEmbed settings = tasks::resolve_track_settings(model, choices);
  tasks::RegionValues values(regions, genome);
  const io::RegionSet set = values.set();
  std::int64_t total = 0;
  tasks::TrackPasses passes(
      model, choices, settings, genome, values.order(), &set,
      [&](std::size_t place, std::int64_t begin, std::span<const float> of_window) {
        values.take(place, begin, of_window);
      },
      [&](std::int64_t bases) {
        if (!on_progress) return;
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        on_progress(
            {static_cast<std::int64_t>(passes.used().size()), bases, total, seconds.count()});
      });
  total = passes.size().bases;
  passes.run();
  return std::move(values).scores();
}

}  // namespace ssmgen
