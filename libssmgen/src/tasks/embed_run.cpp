#include "tasks/embed_run.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "genome/bases.hpp"

namespace ssmgen::tasks {

EmbedUnits::EmbedUnits(const ResolvedEmbed& settings, std::int64_t record_length)
    : per_window_(settings.per_window),
      length_(record_length),
      tiling_(record_length, settings.window_bases, settings.stride_bases),
      count_(per_window_ ? tiling_.count() : 1) {}

std::int64_t EmbedUnits::begin(std::int64_t index) const {
  return per_window_ ? tiling_.tile(index).begin : 0;
}

std::int64_t EmbedUnits::end(std::int64_t index) const {
  return per_window_ ? tiling_.tile(index).end : length_;
}

std::int64_t EmbedUnits::rows(const ResolvedEmbed& settings, std::int64_t unit_length) {
  return settings.pooling.pool == EmbedPool::none ? unit_length : 1;
}

std::int64_t EmbedUnits::windows(const ResolvedEmbed& settings, std::int64_t unit_length) {
  return genome::Tiling(unit_length, settings.window_bases, settings.stride_bases).count();
}

std::int64_t pooled_bases(const ResolvedEmbed& settings, std::string_view letters) {
  const auto length = static_cast<std::int64_t>(letters.size());
  const std::int64_t begin = settings.pooled_begin(length);
  const std::int64_t end = settings.pooled_end(length);
  if (!settings.skip_n) return end - begin;
  return std::count_if(letters.begin() + begin, letters.begin() + end,
                       [](char letter) { return genome::is_acgt(letter); });
}

EmbedRun::EmbedRun(const Model::Impl& model, const ResolvedEmbed& settings, io::ArrayWriter& out,
                   OnDone on_done)
    : settings_(settings),
      out_(out),
      on_done_(std::move(on_done)),
      passes_(model, settings, *this) {}

void EmbedRun::add(std::int64_t first_row, std::string_view letters) {
  const auto length = static_cast<std::int64_t>(letters.size());
  if (is_pooled() && out_.has(first_row, 1)) {
    bases_done_ += length;
    return;
  }
  const genome::Tiling tiling(length, settings_.window_bases, settings_.stride_bases);
  if (is_pooled()) begin_pool(first_row, letters, tiling);
  for (std::int64_t i = 0; i < tiling.count(); ++i) {
    SequenceWindow window;
    window.record_length = length;
    window.first_row = first_row;
    window.tile = tiling.tile(i);
    if (is_wanted(first_row, letters, window.tile)) {
      window.letters = letters.substr(static_cast<std::size_t>(window.tile.begin),
                                      static_cast<std::size_t>(tiling.window_bases()));
      passes_.add(std::move(window));
    } else {
      bases_done_ += window.tile.keep_end - window.tile.keep_begin;
    }
  }
}

// How many windows a unit waits for must stand before the first of them runs.
void EmbedRun::begin_pool(std::int64_t row, std::string_view letters,
                          const genome::Tiling& tiling) {
  Pool pool;
  for (std::int64_t i = 0; i < tiling.count(); ++i) {
    if (is_wanted(row, letters, tiling.tile(i))) ++pool.windows_left;
  }
  if (pool.windows_left == 0) {
    write_pooled(row, pool);
    return;
  }
  const std::size_t values = settings_.layers.size() * static_cast<std::size_t>(settings_.channels);
  if (settings_.pooling.pool == EmbedPool::max) {
    pool.most.assign(values, -std::numeric_limits<float>::infinity());
  } else {
    pool.sums.assign(values, 0.0);
  }
  pools_.emplace(row, std::move(pool));
}

bool EmbedRun::is_wanted(std::int64_t first_row, std::string_view letters,
                         const genome::Tile& tile) const {
  if (!is_pooled()) {
    return !out_.has(first_row + tile.keep_begin, tile.keep_end - tile.keep_begin);
  }
  const auto length = static_cast<std::int64_t>(letters.size());
  const std::int64_t begin = std::max(tile.keep_begin, settings_.pooled_begin(length));
  const std::int64_t end = std::min(tile.keep_end, settings_.pooled_end(length));
  if (begin >= end) return false;
  return !settings_.skip_n || std::any_of(letters.begin() + begin, letters.begin() + end,
                                          [](char letter) { return genome::is_acgt(letter); });
}

void EmbedRun::take(const SequenceWindow& window, std::int64_t layer, std::int64_t position,
                    std::span<const float> values) {
  const std::int64_t channels = settings_.channels;
  const std::int64_t count = static_cast<std::int64_t>(values.size()) / channels;
  if (!is_pooled()) {
    out_.write(layer, window.first_row + position, count, values.data());
    return;
  }
  Pool& pool = pools_.at(window.first_row);
  const std::int64_t begin = std::max(position, settings_.pooled_begin(window.record_length));
  const std::int64_t end = std::min(position + count, settings_.pooled_end(window.record_length));
  for (std::int64_t at = begin; at < end; ++at) {
    if (settings_.skip_n && !genome::is_acgt(window.letter(at))) continue;
    if (layer == 0) ++pool.bases;
    const float* row = values.data() + (at - position) * channels;
    if (settings_.pooling.pool == EmbedPool::max) {
      float* most = pool.most.data() + layer * channels;
      for (std::int64_t i = 0; i < channels; ++i) most[i] = std::max(most[i], row[i]);
    } else {
      // One base after the other, in the order of the record: the same bits however it was cut.
      double* sums = pool.sums.data() + layer * channels;
      for (std::int64_t i = 0; i < channels; ++i) sums[i] += static_cast<double>(row[i]);
    }
  }
}

void EmbedRun::done(const SequenceWindow& window) {
  bases_done_ += window.tile.keep_end - window.tile.keep_begin;
  if (on_done_) on_done_(bases_done_);
  if (!is_pooled()) return;
  const auto found = pools_.find(window.first_row);
  if (--found->second.windows_left > 0) return;
  write_pooled(window.first_row, found->second);
  pools_.erase(found);
}

void EmbedRun::write_pooled(std::int64_t row, const Pool& pool) {
  const auto channels = static_cast<std::size_t>(settings_.channels);
  pooled_.resize(channels);
  for (std::size_t layer = 0; layer < settings_.layers.size(); ++layer) {
    const std::size_t first = layer * channels;
    for (std::size_t i = 0; i < channels; ++i) {
      if (pool.bases == 0) {
        pooled_[i] = std::numeric_limits<float>::quiet_NaN();
      } else if (settings_.pooling.pool == EmbedPool::max) {
        pooled_[i] = pool.most[first + i];
      } else {
        pooled_[i] = static_cast<float>(pool.sums[first + i] / static_cast<double>(pool.bases));
      }
    }
    out_.write(static_cast<std::int64_t>(layer), row, 1, pooled_.data());
  }
}

}  // namespace ssmgen::tasks
