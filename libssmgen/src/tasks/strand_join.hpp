#pragma once
// Rows of two strands, which come one after the other, made one.

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "io/row_stage.hpp"
#include "tasks/embed_settings.hpp"

namespace ssmgen::tasks {

/// The strand that comes first is put aside until the other is there.
class StrandJoin {
 public:
  /// Takes rows that are complete: layer (its index in ResolvedEmbed::layers), first row, values
  /// (rows, channels). Rows of a layer come in order.
  using Taker = std::function<void(std::int64_t, std::int64_t, std::span<const float>)>;

  /// @param max_memory_bytes of the process, 0 for what is free
  explicit StrandJoin(const ResolvedEmbed& settings, std::int64_t max_memory_bytes = 0);

  /// Forgets what was before and expects `rows` rows a strand and layer.
  void begin(std::int64_t rows);

  /// Rows of one strand at the plus strand's positions, in order within a strand and layer.
  void take(std::int64_t layer, bool minus, std::int64_t first_row, std::span<const float> values,
            const Taker& taker);

  /// Rows of the minus strand in any order, when all of them come before those of the plus strand.
  void put_aside(std::int64_t layer, std::int64_t first_row, std::span<const float> values);
  /// All of them have come; where the minus strand is all that is wanted, they are handed on.
  void end_aside(const Taker& taker);

 private:
  // The piece that came last, which is joined from where it lies when its other strand is next.
  struct Held {
    bool minus = false;
    std::int64_t first_row = 0;
    std::vector<float> values;
  };

  std::int64_t stage_offset(std::int64_t layer, std::int64_t row) const;
  void join_staged(std::int64_t layer, bool minus, std::int64_t first_row,
                   std::span<const float> values, const Taker& taker);
  void join(std::int64_t layer, bool minus, std::int64_t first_row, std::span<const float> values,
            std::span<const float> other, const Taker& taker);

  const ResolvedEmbed& settings_;
  io::RowStage stage_;
  std::int64_t rows_ = 0;
  std::vector<std::array<std::int64_t, 2>> done_;  // rows that came, by layer and strand
  std::vector<Held> held_;                         // by layer; empty values for none
  bool has_stage_ = false;                         // of the rows that are expected now
  std::vector<float> other_;
  std::vector<float> joined_;
};

}  // namespace ssmgen::tasks
