#pragma once
// One value a base of a genome, in order: what a track's file and values in memory share.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <ssmgen/embed.hpp>
#include <vector>

#include "io/region_set.hpp"
#include "tasks/hidden_passes.hpp"
#include "tasks/probability_passes.hpp"

namespace ssmgen::tasks {

/// TrackChoices' settings with every default chosen and checked against the model.
/// @throws InvalidArgument saying which choice does not fit what
ResolvedEmbed resolve_track_settings(const Model& model, const TrackChoices& choices);

/// What goes through the model.
struct TrackSize {
  std::int64_t contigs = 0;
  std::int64_t bases = 0;
  std::int64_t windows = 0;
  std::int64_t longest_window = 0;
};

class TrackPasses : private HiddenTaker {
 public:
  /// Takes values of the bases from `begin` on of contig order[place]; places and positions ascend.
  using Taker =
      std::function<void(std::size_t place, std::int64_t begin, std::span<const float> values)>;
  /// Told now and then how many bases are done.
  using OnDone = std::function<void(std::int64_t bases)>;

  /// @param settings of resolve_track_settings()
  /// @param order contigs of the genome
  /// @param regions where values are wanted, elsewhere they are NaN; null for everywhere
  TrackPasses(const Model& model, const TrackChoices& choices, const ResolvedEmbed& settings,
              Genome& genome, std::vector<std::int64_t> order, const io::RegionSet* regions,
              Taker taker, OnDone on_done);

  TrackSize size() const;
  void run();

  std::int64_t windows_run() const;
  /// Contigs of which a base went through the model.
  const std::vector<std::int64_t>& used() const noexcept { return used_; }

 private:
  // Values of a window that came before their turn.
  struct Piece {
    std::size_t place = 0;
    std::int64_t begin = 0;
    std::vector<float> values;
  };

  const genome::Contig& contig(std::int64_t number) const;
  bool is_wanted(const std::string& name, std::int64_t begin, std::int64_t end) const;
  genome::Tiling tiling(std::int64_t number) const;
  void add_contig(std::size_t place);
  void finish_passes();
  void hand_in(const SequenceWindow& window, std::vector<float> values);
  void take(const SequenceWindow& window, std::int64_t layer, std::int64_t position,
            std::span<const float> values) override;
  void done(const SequenceWindow& window) override;

  const TrackChoices& choices_;
  const ResolvedEmbed& settings_;
  Genome& genome_;
  std::vector<std::int64_t> order_;
  const io::RegionSet* regions_;
  Taker taker_;
  OnDone on_done_;
  std::vector<std::int64_t> used_;
  std::unique_ptr<HiddenPasses> hidden_;
  std::unique_ptr<ProbabilityPasses> probabilities_;
  std::map<std::int64_t, std::size_t> places_;  // of windows under way, by their number
  std::map<std::int64_t, std::vector<float>> channel_;
  std::map<std::int64_t, Piece> waiting_;
  std::size_t waiting_values_ = 0;
  std::int64_t windows_ = 0;
  std::int64_t next_ = 0;
  std::int64_t bases_done_ = 0;
};

}  // namespace ssmgen::tasks
