#include "tasks/strand_join.hpp"

#include <algorithm>

#include "base/host_memory.hpp"

namespace ssmgen::tasks {
namespace {

constexpr std::int64_t rows_at_once = 16384;
// Rows that wait in memory: few where it is short, since the model needs the rest.
constexpr std::int64_t most_staged_bytes = std::int64_t{256} << 20;
constexpr std::int64_t least_share_of_memory = 16;

}  // namespace

StrandJoin::StrandJoin(const ResolvedEmbed& settings, std::int64_t max_memory_bytes)
    : settings_(settings),
      stage_(settings.scratch,
             std::min(most_staged_bytes,
                      base::host_memory(max_memory_bytes).free_bytes / least_share_of_memory)) {}

std::int64_t StrandJoin::stage_offset(std::int64_t layer, std::int64_t row) const {
  return (layer * rows_ + row) * settings_.strand_channels;
}

void StrandJoin::begin(std::int64_t rows) {
  rows_ = rows;
  done_.assign(settings_.layers.size(), {});
  held_.assign(settings_.layers.size(), {});
  has_stage_ = false;
}

void StrandJoin::take(std::int64_t layer, bool minus, std::int64_t first_row,
                      std::span<const float> values, const Taker& taker) {
  if (minus ? !settings_.reads_minus() : !settings_.reads_plus()) return;
  if (!settings_.reads_minus() || !settings_.reads_plus()) {
    taker(layer, first_row, values);
    return;
  }
  const auto index = static_cast<std::size_t>(layer);
  auto& done = done_[index];
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / settings_.strand_channels;
  done[minus ? 1 : 0] = first_row + rows;
  Held& held = held_[index];
  if (!held.values.empty() && held.minus != minus && held.first_row == first_row &&
      held.values.size() == values.size()) {
    join(layer, minus, first_row, values, held.values, taker);
    held.values.clear();
    return;
  }
  if (!held.values.empty()) {
    put_aside(layer, held.first_row, held.values);
    held.values.clear();
  }
  const std::int64_t joinable = std::clamp<std::int64_t>(done[minus ? 0 : 1] - first_row, 0, rows);
  const auto split = static_cast<std::size_t>(joinable * settings_.strand_channels);
  if (joinable > 0) join_staged(layer, minus, first_row, values.first(split), taker);
  if (joinable == rows) return;
  held.minus = minus;
  held.first_row = first_row + joinable;
  held.values.assign(values.begin() + static_cast<std::int64_t>(split), values.end());
}

void StrandJoin::put_aside(std::int64_t layer, std::int64_t first_row,
                           std::span<const float> values) {
  if (!has_stage_) {
    stage_.resize(stage_offset(static_cast<std::int64_t>(settings_.layers.size()), 0));
    has_stage_ = true;
  }
  stage_.write(stage_offset(layer, first_row), values.data(),
               static_cast<std::int64_t>(values.size()));
}

void StrandJoin::end_aside(const Taker& taker) {
  for (std::size_t layer = 0; layer < done_.size(); ++layer) {
    done_[layer][1] = rows_;
    if (settings_.reads_plus()) continue;
    for (std::int64_t row = 0; row < rows_; row += rows_at_once) {
      const std::int64_t count = std::min(rows_at_once, rows_ - row);
      other_.resize(static_cast<std::size_t>(count * settings_.strand_channels));
      const auto index = static_cast<std::int64_t>(layer);
      stage_.read(stage_offset(index, row), other_.data(),
                  static_cast<std::int64_t>(other_.size()));
      taker(index, row, other_);
    }
  }
}

void StrandJoin::join_staged(std::int64_t layer, bool minus, std::int64_t first_row,
                             std::span<const float> values, const Taker& taker) {
  other_.resize(values.size());
  stage_.read(stage_offset(layer, first_row), other_.data(),
              static_cast<std::int64_t>(other_.size()));
  join(layer, minus, first_row, values, other_, taker);
}

void StrandJoin::join(std::int64_t layer, bool minus, std::int64_t first_row,
                      std::span<const float> values, std::span<const float> other,
                      const Taker& taker) {
  if (settings_.strand == EmbedStrand::mean) {
    joined_.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) joined_[i] = 0.5f * (values[i] + other[i]);
  } else {
    const std::span<const float> plus = minus ? other : values;
    const std::span<const float> reverse = minus ? values : other;
    const auto channels = static_cast<std::size_t>(settings_.strand_channels);
    joined_.clear();
    for (std::size_t at = 0; at < values.size(); at += channels) {
      for (const std::span<const float> half : {plus, reverse}) {
        const std::span<const float> row = half.subspan(at, channels);
        joined_.insert(joined_.end(), row.begin(), row.end());
      }
    }
  }
  taker(layer, first_row, joined_);
}

}  // namespace ssmgen::tasks
