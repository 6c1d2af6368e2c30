#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <ssmgen/embed.hpp>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"
#include "io/bed_reader.hpp"
#include "io/bigwig_writer.hpp"
#include "io/fasta.hpp"
#include "io/output_file.hpp"
#include "io/region_set.hpp"
#include "tasks/hidden_passes.hpp"
#include "tasks/probability_passes.hpp"
#include "tasks/provenance.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// Of a value, packed, with its share of the zoom levels.
constexpr std::int64_t value_bytes = 5;
// Values that are held because their turn has not come.
constexpr std::size_t most_waiting_values = std::size_t{1} << 24;

ResolvedEmbed resolve_track_settings(const Model& model, const TrackOptions& options) {
  const ModelInfo& info = model.info();
  EmbedSettings settings = options.settings;
  if (settings.strand == EmbedStrand::concat) {
    throw InvalidArgument("a track has one value a base: --strand is plus, minus or mean");
  }
  const bool is_hidden = options.score == TrackScore::channel;
  if (!is_hidden && settings.layer != "last") {
    throw InvalidArgument(
        fmt::format("--layer is for --score channel:N; {} is made of the model's predictions",
                    track_score_name(options)));
  }
  if (settings.layer == "all") throw InvalidArgument("a track is of one layer: not --layer all");
  if (!is_hidden && settings.strand == EmbedStrand::automatic && info.is_causal) {
    settings.strand = EmbedStrand::mean;
  }
  if (is_hidden && options.channel >= info.d_model) {
    throw InvalidArgument(fmt::format("channel {} is none of the {} of {}, counted from 0",
                                      options.channel, info.d_model, info.name));
  }
  return resolve_embed_settings(info, settings, model.impl().backend->preferred_rows());
}

class TrackRun : private HiddenTaker {
 public:
  TrackRun(const Model& model, const TrackOptions& options, EmbedObserver& observer)
      : model_(model),
        options_(options),
        observer_(observer),
        settings_(resolve_track_settings(model, options)),
        fasta_(options.fasta, [&](const std::string& text) { observer.on_warning(text); }) {
    if (options.output.empty() || options.output == "-") {
      throw InvalidArgument(
          "a bigWig is written at many places at once, so it cannot go to standard output: give -o "
          "NAME.bw");
    }
    order_contigs();
    read_regions();
  }

  EmbedSummary run() {
    plan();
    observer_.on_plan(plan_);
    check_size();
    tell_pass(model_, plan_.longest_window, options_.score != TrackScore::channel, options_.dry_run,
              observer_);
    if (options_.dry_run) return summary_;
    std::vector<genome::Contig> contigs;
    for (const std::int64_t number : order_) contigs.push_back(contig(number));
    writer_ = std::make_unique<io::BigWigWriter>(options_.output, options_.fasta, contigs);
    io::OutputFile json(options_.output + ".json", options_.fasta);
    open_passes();
    for (std::size_t place = 0; place < order_.size(); ++place) add_contig(place);
    finish_passes();
    report();
    summary_.windows = hidden_ ? hidden_->windows_run() : probabilities_->windows_run();
    summary_.rows = writer_->count();
    writer_->finish();
    json.write(provenance().dump(2) + "\n");
    json.sync();
    json.commit();
    writer_->commit();
    summary_.seconds = seconds();
    return summary_;
  }

 private:
  // Values of a window that came before their turn.
  struct Piece {
    std::size_t place = 0;  // of the contig, in order_
    std::int64_t begin = 0;
    std::vector<float> values;
  };

  const genome::Contig& contig(std::int64_t number) const {
    return fasta_.contigs()[static_cast<std::size_t>(number)];
  }

  // A bigWig finds contigs by halving, so they stand in the order of their names.
  void order_contigs() {
    order_.resize(fasta_.contigs().size());
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    std::sort(order_.begin(), order_.end(),
              [this](std::int64_t a, std::int64_t b) { return contig(a).name < contig(b).name; });
  }

  void read_regions() {
    if (options_.bed.empty()) return;
    const std::vector<io::BedRegion> lines = io::read_bed(options_.bed);
    const io::BedSource check(options_.bed, lines, fasta_, true);
    std::vector<genome::Region> regions;
    regions.reserve(lines.size());
    for (const io::BedRegion& line : lines) regions.push_back({line.contig, line.begin, line.end});
    regions_.emplace(regions);
  }

  bool is_wanted(const std::string& name, std::int64_t begin, std::int64_t end) const {
    return !regions_ || regions_->touches(name, begin, end - 1);
  }

  genome::Tiling tiling(std::int64_t number) const {
    return {contig(number).length, settings_.window_bases, settings_.stride_bases};
  }

  void plan() {
    plan_.input_kind = "FASTA";
    plan_.records = plan_.bases = plan_.windows = plan_.longest_window = 0;
    std::int64_t values = 0;
    for (const std::int64_t number : order_) {
      const genome::Tiling tiles = tiling(number);
      bool is_used = false;
      for (std::int64_t i = 0; i < tiles.count(); ++i) {
        const genome::Tile tile = tiles.tile(i);
        if (!is_wanted(contig(number).name, tile.keep_begin, tile.keep_end)) continue;
        is_used = true;
        ++plan_.windows;
        plan_.bases += tile.keep_end - tile.keep_begin;
        plan_.longest_window = std::max(plan_.longest_window, tile.end - tile.begin);
      }
      if (is_used) ++plan_.records;
    }
    if (regions_) {
      for (const genome::Region& region : regions_->regions()) values += region.end - region.begin;
    } else {
      values = plan_.bases;
    }
    plan_.output_type = "bigWig";
    plan_.shape = {values};
    plan_.output_bytes = values * value_bytes;
    plan_.files = {options_.output, options_.output + ".json"};
  }

  void check_size() const {
    if (options_.yes || options_.max_output_bytes <= 0) return;
    if (plan_.output_bytes <= options_.max_output_bytes) return;
    throw InvalidArgument(fmt::format(
        "the output would hold about {} bytes and more than the {} of --max-output: give --bed, "
        "raise it, or give --yes",
        plan_.output_bytes, options_.max_output_bytes));
  }

  void open_passes() {
    if (options_.score == TrackScore::channel) {
      HiddenTaker& taker = *this;
      hidden_ = std::make_unique<HiddenPasses>(model_.impl(), settings_, taker);
      return;
    }
    probabilities_ = std::make_unique<ProbabilityPasses>(
        model_.impl(), settings_, options_.score,
        [this](const SequenceWindow& window, std::vector<float> values) {
          hand_in(window, std::move(values));
        });
  }

  void finish_passes() {
    if (hidden_) hidden_->finish();
    if (probabilities_) probabilities_->finish();
  }

  void add_contig(std::size_t place) {
    const std::int64_t number = order_[place];
    const genome::Contig& of = contig(number);
    const genome::Tiling tiles = tiling(number);
    bool is_used = false;
    for (std::int64_t i = 0; i < tiles.count(); ++i) {
      SequenceWindow window;
      window.tile = tiles.tile(i);
      const genome::Tile& tile = window.tile;
      if (!is_wanted(of.name, tile.keep_begin, tile.keep_end)) continue;
      is_used = true;
      const std::int64_t kept = tile.keep_end - tile.keep_begin;
      fasta_.fetch(number, tile.begin, tile.end, window.letters);
      const auto first = window.letters.begin() - tile.begin;
      if (std::none_of(first + tile.keep_begin, first + tile.keep_end,
                       [](char letter) { return genome::is_acgt(letter); })) {
        bases_done_ += kept;
        continue;
      }
      window.number = windows_++;
      places_.emplace(window.number, place);
      hidden_ ? hidden_->add(std::move(window)) : probabilities_->add(std::move(window));
      // A window of a rare length waits long for others of its kind, and all that follow wait for
      // it.
      if (waiting_values_ > most_waiting_values) finish_passes();
      report();
    }
    if (!is_used) return;
    ++summary_.records;
    summary_.bases += of.length;
    used_.push_back(number);
  }

  void take(const SequenceWindow& window, std::int64_t /*layer*/, std::int64_t /*position*/,
            std::span<const float> values) override {
    std::vector<float>& taken = channel_[window.number];
    const auto channels = static_cast<std::size_t>(settings_.channels);
    for (auto at = static_cast<std::size_t>(options_.channel); at < values.size(); at += channels) {
      taken.push_back(values[at]);
    }
  }

  void done(const SequenceWindow& window) override {
    const auto found = channel_.find(window.number);
    std::vector<float> values = std::move(found->second);
    channel_.erase(found);
    hand_in(window, std::move(values));
  }

  void hand_in(const SequenceWindow& window, std::vector<float> values) {
    const auto place = places_.find(window.number);
    const std::string& name = contig(order_[place->second]).name;
    const std::int64_t begin = window.tile.keep_begin;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t position = begin + static_cast<std::int64_t>(i);
      if (!genome::is_acgt(window.letter(position)) || !is_wanted(name, position, position + 1)) {
        values[i] = std::numeric_limits<float>::quiet_NaN();
      }
    }
    bases_done_ += static_cast<std::int64_t>(values.size());
    waiting_values_ += values.size();
    waiting_.emplace(window.number, Piece{place->second, begin, std::move(values)});
    places_.erase(place);
    while (!waiting_.empty() && waiting_.begin()->first == next_) {
      const Piece& piece = waiting_.begin()->second;
      writer_->add(piece.place, piece.begin, piece.values);
      waiting_values_ -= piece.values.size();
      waiting_.erase(waiting_.begin());
      ++next_;
    }
  }

  nlohmann::ordered_json provenance() {
    nlohmann::ordered_json json =
        provenance_of_model(model_, options_.write_version, options_.command_line);
    json["input"] = {{"kind", "FASTA"}, {"name", file_name(options_.fasta)}};
    json["input"]["contigs"] = provenance_of_contigs(fasta_, used_);
    if (regions_) json["input"]["regions"] = file_name(options_.bed);
    json["track"] = {{"score", track_score_name(options_)}};
    json["track"].update(provenance_of_settings(settings_));
    for (const char* key : {"pool", "per_window", "skip_n"}) json["track"].erase(key);
    if (options_.score != TrackScore::channel) {
      json["track"].erase("layers");
      if (settings_.model_has_both_strands) json["track"]["strand"] = "both";
    }
    json["output"] = {
        {"name", file_name(options_.output)}, {"type", "bigWig"}, {"values", summary_.rows}};
    return json;
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report() { observer_.on_progress({summary_.records, bases_done_, plan_.bases, seconds()}); }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Model& model_;
  const TrackOptions& options_;
  EmbedObserver& observer_;
  ResolvedEmbed settings_;
  io::Fasta fasta_;
  std::vector<std::int64_t> order_;  // of contigs, by name
  std::vector<std::int64_t> used_;
  std::optional<io::RegionSet> regions_;
  std::unique_ptr<io::BigWigWriter> writer_;
  std::unique_ptr<HiddenPasses> hidden_;
  std::unique_ptr<ProbabilityPasses> probabilities_;
  std::map<std::int64_t, std::size_t> places_;  // of windows under way, by their number
  std::map<std::int64_t, std::vector<float>> channel_;
  std::map<std::int64_t, Piece> waiting_;
  std::size_t waiting_values_ = 0;
  std::int64_t windows_ = 0;
  std::int64_t next_ = 0;
  std::int64_t bases_done_ = 0;
  EmbedPlan plan_;
  EmbedSummary summary_;
};

}  // namespace
}  // namespace tasks

EmbedSummary write_track(const Model& model, const TrackOptions& options, EmbedObserver& observer) {
  return tasks::TrackRun(model, options, observer).run();
}

}  // namespace ssmgen
