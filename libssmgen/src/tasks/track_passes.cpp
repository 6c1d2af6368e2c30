#include "tasks/track_passes.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"

namespace ssmgen::tasks {
namespace {

// Values that are held because their turn has not come.
constexpr std::size_t most_waiting_values = std::size_t{1} << 24;

}  // namespace

ResolvedEmbed resolve_track_settings(const Model& model, const TrackChoices& choices) {
  const ModelInfo& info = model.info();
  EmbedSettings settings = choices.settings;
  if (settings.strand == EmbedStrand::concat) {
    throw InvalidArgument("a track has one value a base: --strand is plus, minus or mean");
  }
  const bool is_hidden = choices.score == TrackScore::channel;
  if (!is_hidden && settings.layer != "last") {
    throw InvalidArgument(
        fmt::format("--layer is for --score channel:N; {} is made of the model's predictions",
                    track_score_name(choices)));
  }
  if (settings.layer == "all") throw InvalidArgument("a track is of one layer: not --layer all");
  if (!is_hidden && settings.strand == EmbedStrand::automatic && info.is_causal) {
    settings.strand = EmbedStrand::mean;
  }
  if (is_hidden && choices.channel >= info.d_model) {
    throw InvalidArgument(fmt::format("channel {} is none of the {} of {}, counted from 0",
                                      choices.channel, info.d_model, info.name));
  }
  return resolve_embed_settings(info, settings, model.impl().backend->preferred_rows());
}

TrackPasses::TrackPasses(const Model& model, const TrackChoices& choices,
                         const ResolvedEmbed& settings, Genome& genome,
                         std::vector<std::int64_t> order, const io::RegionSet* regions, Taker taker,
                         OnDone on_done)
    : choices_(choices),
      settings_(settings),
      genome_(genome),
      order_(std::move(order)),
      regions_(regions),
      taker_(std::move(taker)),
      on_done_(std::move(on_done)) {
  if (choices.score == TrackScore::channel) {
    HiddenTaker& hidden_taker = *this;
    hidden_ = std::make_unique<HiddenPasses>(model.impl(), settings_, hidden_taker);
    return;
  }
  probabilities_ = std::make_unique<ProbabilityPasses>(
      model.impl(), settings_, choices.score,
      [this](const SequenceWindow& window, std::vector<float> values) {
        hand_in(window, std::move(values));
      });
}

const genome::Contig& TrackPasses::contig(std::int64_t number) const {
  return genome_.contigs()[static_cast<std::size_t>(number)];
}

bool TrackPasses::is_wanted(const std::string& name, std::int64_t begin, std::int64_t end) const {
  return regions_ == nullptr || regions_->touches(name, begin, end - 1);
}

genome::Tiling TrackPasses::tiling(std::int64_t number) const {
  return {contig(number).length, settings_.window_bases, settings_.stride_bases};
}

TrackSize TrackPasses::size() const {
  TrackSize size;
  for (const std::int64_t number : order_) {
    const genome::Tiling tiles = tiling(number);
    bool is_used = false;
    for (std::int64_t i = 0; i < tiles.count(); ++i) {
      const genome::Tile tile = tiles.tile(i);
      if (!is_wanted(contig(number).name, tile.keep_begin, tile.keep_end)) continue;
      is_used = true;
      ++size.windows;
      size.bases += tile.keep_end - tile.keep_begin;
      size.longest_window = std::max(size.longest_window, tile.end - tile.begin);
    }
    if (is_used) ++size.contigs;
  }
  return size;
}

void TrackPasses::run() {
  for (std::size_t place = 0; place < order_.size(); ++place) add_contig(place);
  finish_passes();
  on_done_(bases_done_);
}

std::int64_t TrackPasses::windows_run() const {
  return hidden_ ? hidden_->windows_run() : probabilities_->windows_run();
}

void TrackPasses::finish_passes() {
  if (hidden_) hidden_->finish();
  if (probabilities_) probabilities_->finish();
}

void TrackPasses::add_contig(std::size_t place) {
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
    genome_.fetch(number, tile.begin, tile.end, window.letters);
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
    on_done_(bases_done_);
  }
  if (is_used) used_.push_back(number);
}

void TrackPasses::take(const SequenceWindow& window, std::int64_t /*layer*/,
                       std::int64_t /*position*/, std::span<const float> values) {
  std::vector<float>& taken = channel_[window.number];
  const auto channels = static_cast<std::size_t>(settings_.channels);
  for (auto at = static_cast<std::size_t>(choices_.channel); at < values.size(); at += channels) {
    taken.push_back(values[at]);
  }
}

void TrackPasses::done(const SequenceWindow& window) {
  const auto found = channel_.find(window.number);
  std::vector<float> values = std::move(found->second);
  channel_.erase(found);
  hand_in(window, std::move(values));
}

void TrackPasses::hand_in(const SequenceWindow& window, std::vector<float> values) {
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
    taker_(piece.place, piece.begin, piece.values);
    waiting_values_ -= piece.values.size();
    waiting_.erase(waiting_.begin());
    ++next_;
  }
}

}  // namespace ssmgen::tasks
