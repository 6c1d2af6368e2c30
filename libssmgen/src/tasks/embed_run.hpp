#pragma once
// Records in, rows of an array out: cut into windows, passed through the model, pooled.

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/array_writer.hpp"
#include "tasks/hidden_passes.hpp"

namespace ssmgen::tasks {

/// The parts of a record that have rows of their own: one, or with `per_window` each window.
class EmbedUnits {
 public:
  EmbedUnits(const ResolvedEmbed& settings, std::int64_t record_length);

  std::int64_t count() const noexcept { return count_; }
  /// Where unit `index` lies in the record, half-open.
  std::int64_t begin(std::int64_t index) const;
  std::int64_t end(std::int64_t index) const;
  /// Rows of a unit of so many bases.
  static std::int64_t rows(const ResolvedEmbed& settings, std::int64_t unit_length);
  /// Windows of a unit of so many bases that go through the model at the most.
  static std::int64_t windows(const ResolvedEmbed& settings, std::int64_t unit_length);

 private:
  bool per_window_;
  std::int64_t length_;
  genome::Tiling tiling_;
  std::int64_t count_;
};

/// How many bases of a unit are pooled.
std::int64_t pooled_bases(const ResolvedEmbed& settings, std::string_view letters);

class EmbedRun : private HiddenTaker {
 public:
  /// Told after each window how many bases are done.
  using OnDone = std::function<void(std::int64_t)>;

  /// `out` takes the rows in any order.
  EmbedRun(const Model::Impl& model, const ResolvedEmbed& settings, io::ArrayWriter& out,
           OnDone on_done = nullptr);

  /// The rows of a unit, from `first_row` on, are in `out` after this or after finish().
  void add(std::int64_t first_row, std::string_view letters);
  void finish() { passes_.finish(); }

  std::int64_t windows_run() const noexcept { return passes_.windows_run(); }
  /// Bases whose rows are there, or left out.
  std::int64_t bases_done() const noexcept { return bases_done_; }

 private:
  // What is gathered of a unit that is pooled.
  struct Pool {
    std::vector<double> sums;  // (layers, channels): of a mean
    std::vector<float> most;   // the same: of a maximum
    std::int64_t bases = 0;
    std::int64_t windows_left = 0;
  };

  bool is_pooled() const { return settings_.pooling.pool != EmbedPool::none; }
  bool is_wanted(std::int64_t first_row, std::string_view letters, const genome::Tile& tile) const;
  void begin_pool(std::int64_t row, std::string_view letters, const genome::Tiling& tiling);
  void take(const SequenceWindow& window, std::int64_t layer, std::int64_t position,
            std::span<const float> values) override;
  void done(const SequenceWindow& window) override;
  void write_pooled(std::int64_t row, const Pool& pool);

  const ResolvedEmbed& settings_;
  io::ArrayWriter& out_;
  OnDone on_done_;
  std::unordered_map<std::int64_t, Pool> pools_;  // by row
  HiddenPasses passes_;
  std::vector<float> pooled_;
  std::int64_t bases_done_ = 0;
};

}  // namespace ssmgen::tasks
