#include "tasks/probability_passes.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "genome/bases.hpp"

namespace ssmgen::tasks {
namespace {

constexpr float no_value = std::numeric_limits<float>::quiet_NaN();

}  // namespace

ProbabilityPasses::ProbabilityPasses(const Model::Impl& model, const ResolvedEmbed& settings,
                                     TrackScore score, Taker taker)
    : settings_(settings),
      score_(score),
      taker_(std::move(taker)),
      vocabulary_(model.dna()),
      encoder_(vocabulary_),
      is_causal_(model.info.is_causal),
      runner_(model.runner()),
      buckets_([this](std::int64_t length) { return batch_of(length); },
               [this](std::vector<SequenceWindow>& windows) { run(windows); }) {}

std::int64_t ProbabilityPasses::batch_of(std::int64_t length) const {
  const std::int64_t most = settings_.batch_of(length);
  return settings_.batch_windows > 0 ? most : pace_.windows(length, most);
}

void ProbabilityPasses::run(std::vector<SequenceWindow>& windows) {
  const auto length = static_cast<std::int64_t>(windows.front().letters.size());
  const PassPace::Clock::time_point start = PassPace::Clock::now();
  std::vector<float> values;
  if (settings_.model_has_both_strands || settings_.reads_plus()) {
    values = run_strand(windows, false);
  }
  if (!settings_.model_has_both_strands && settings_.reads_minus()) {
    const std::vector<float> minus = run_strand(windows, true);
    if (values.empty()) {
      values = minus;
    } else {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5f * (values[i] + minus[i]);
    }
  }
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const genome::Tile& tile = windows[i].tile;
    const auto first = values.begin() + static_cast<std::int64_t>(i) * length - tile.begin;
    taker_(windows[i], {first + tile.keep_begin, first + tile.keep_end});
  }
  windows_run_ += static_cast<std::int64_t>(windows.size());
  pace_.done(static_cast<std::int64_t>(windows.size()) * length, start);
}

std::vector<float> ProbabilityPasses::run_strand(const std::vector<SequenceWindow>& windows,
                                                 bool minus) {
  const auto length = static_cast<std::int64_t>(windows.front().letters.size());
  const auto count = static_cast<std::int64_t>(windows.size());
  std::string letters;
  for (const SequenceWindow& window : windows) {
    letters += minus ? genome::reverse_complement(window.letters) : window.letters;
  }
  std::vector<std::int32_t> ids(letters.size());
  encoder_.encode(letters, ids);
  std::vector<float> values(letters.size(), no_value);
  stream::RunOutputs outputs;
  outputs.base_ids = vocabulary_.base_ids;
  outputs.on_base_log_probabilities = [&](std::int64_t first_row, std::span<const float> rows) {
    for (std::size_t i = 0; i < rows.size() / 4; ++i) {
      const std::int64_t row = first_row + static_cast<std::int64_t>(i);
      const std::int64_t window = row / length;
      const std::int64_t position = row % length + (is_causal_ ? 1 : 0);
      if (position == length) continue;
      const std::int64_t at = window * length + (minus ? length - 1 - position : position);
      values[static_cast<std::size_t>(at)] =
          value(rows.data() + 4 * i, letters[static_cast<std::size_t>(window * length + position)]);
    }
  };
  runner_->run(ids, count, length, outputs);
  return values;
}

float ProbabilityPasses::value(const float* log_probabilities, char base) const {
  const int index = genome::base_index(base);
  if (index < 0) return no_value;
  if (score_ == TrackScore::logp) return log_probabilities[index];
  double entropy = 0;
  for (int i = 0; i < 4; ++i) {
    const double log_probability = log_probabilities[i];
    entropy -= std::exp(log_probability) * log_probability;
  }
  return static_cast<float>(entropy);
}

}  // namespace ssmgen::tasks
