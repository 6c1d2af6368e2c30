#include "tasks/hidden_passes.hpp"

#include <algorithm>

#include "genome/bases.hpp"

namespace ssmgen::tasks {

HiddenPasses::HiddenPasses(const Model::Impl& model, const ResolvedEmbed& settings,
                           HiddenTaker& taker)
    : settings_(settings),
      taker_(taker),
      encoder_(model.dna()),
      runner_(model.runner()),
      join_(settings, model.options.max_memory_bytes),
      buckets_([this](std::int64_t length) { return batch_of(length); },
               [this](std::vector<SequenceWindow>& windows) { run(windows); }) {}

std::int64_t HiddenPasses::batch_of(std::int64_t length) const {
  const std::int64_t most = settings_.batch_of(length);
  return settings_.batch_windows > 0 ? most : pace_.windows(length, most);
}

void HiddenPasses::run(std::vector<SequenceWindow>& windows) {
  const auto length = static_cast<std::int64_t>(windows.front().letters.size());
  const PassPace::Clock::time_point start = PassPace::Clock::now();
  join_.begin(static_cast<std::int64_t>(windows.size()) * length);
  if (settings_.model_has_both_strands) {
    run_strand(windows, false);
  } else {
    // The minus strand is another sequence for the model, whose rows come from the other end.
    if (settings_.reads_minus()) {
      run_strand(windows, true);
      join_.end_aside(
          [&](std::int64_t layer, std::int64_t first_row, std::span<const float> values) {
            hand_on(windows, layer, first_row, values);
          });
    }
    if (settings_.reads_plus()) run_strand(windows, false);
  }
  for (const SequenceWindow& window : windows) taker_.done(window);
  windows_run_ += static_cast<std::int64_t>(windows.size());
  pace_.done(static_cast<std::int64_t>(windows.size()) * length, start);
}

void HiddenPasses::run_strand(const std::vector<SequenceWindow>& windows, bool minus) {
  const auto length = static_cast<std::int64_t>(windows.front().letters.size());
  const auto count = static_cast<std::int64_t>(windows.size());
  ids_.resize(static_cast<std::size_t>(count * length));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string& letters = windows[static_cast<std::size_t>(i)].letters;
    const auto ids = std::span(ids_).subspan(static_cast<std::size_t>(i * length),
                                             static_cast<std::size_t>(length));
    encoder_.encode(minus ? genome::reverse_complement(letters) : letters, ids);
  }
  stream::RunOutputs outputs;
  outputs.hidden_layers = settings_.layers;
  outputs.on_hidden = [&](const stream::HiddenRows& rows) {
    const auto layer =
        std::lower_bound(settings_.layers.begin(), settings_.layers.end(), rows.layer) -
        settings_.layers.begin();
    if (minus) {
      put_aside_reversed(rows, layer, length);
    } else {
      join_.take(layer, rows.minus, rows.first_row, rows.values,
                 [&](std::int64_t of_layer, std::int64_t first_row, std::span<const float> values) {
                   hand_on(windows, of_layer, first_row, values);
                 });
    }
  };
  runner_->run(ids_, count, length, outputs);
}

void HiddenPasses::put_aside_reversed(const stream::HiddenRows& rows, std::int64_t layer,
                                      std::int64_t length) {
  const std::int64_t channels = settings_.strand_channels;
  const std::int64_t end =
      rows.first_row + static_cast<std::int64_t>(rows.values.size()) / channels;
  for (std::int64_t row = rows.first_row; row < end;) {
    const std::int64_t sequence = row / length;
    const std::int64_t stop = std::min(end, (sequence + 1) * length);
    reversed_.clear();
    for (std::int64_t from = stop - 1; from >= row; --from) {
      const auto values =
          rows.values.subspan(static_cast<std::size_t>((from - rows.first_row) * channels),
                              static_cast<std::size_t>(channels));
      reversed_.insert(reversed_.end(), values.begin(), values.end());
    }
    const std::int64_t mirrored = sequence * length + (sequence + 1) * length - stop;
    join_.put_aside(layer, mirrored, reversed_);
    row = stop;
  }
}

void HiddenPasses::hand_on(const std::vector<SequenceWindow>& windows, std::int64_t layer,
                           std::int64_t first_row, std::span<const float> values) {
  const auto length = static_cast<std::int64_t>(windows.front().letters.size());
  const std::int64_t channels = settings_.channels;
  const std::int64_t end = first_row + static_cast<std::int64_t>(values.size()) / channels;
  for (std::int64_t row = first_row; row < end;) {
    const std::int64_t number = row / length;
    const std::int64_t stop = std::min(end, (number + 1) * length);
    const SequenceWindow& window = windows[static_cast<std::size_t>(number)];
    // From rows of the batch to positions of the record.
    const std::int64_t shift = window.tile.begin - number * length;
    const std::int64_t from = std::max(row + shift, window.tile.keep_begin);
    const std::int64_t to = std::min(stop + shift, window.tile.keep_end);
    if (from < to) {
      taker_.take(window, layer, from,
                  values.subspan(static_cast<std::size_t>((from - shift - first_row) * channels),
                                 static_cast<std::size_t>((to - from) * channels)));
    }
    row = stop;
  }
}

}  // namespace ssmgen::tasks
