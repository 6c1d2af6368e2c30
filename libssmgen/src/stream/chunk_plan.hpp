#pragma once
// How a sequence is cut: pure arithmetic.

#include <cstdint>
#include <vector>

namespace ssmgen::stream {

struct ChunkRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;  ///< half-open

  std::int64_t length() const noexcept { return end - begin; }
  bool operator==(const ChunkRange&) const = default;
};

/// Cuts [0, length) into chunks.
class ChunkPlan {
 public:
  /// Equal ones, the last one aside, whose edges are multiples of the kernels' tile length.
  /// `chunk_bases` is rounded up to a multiple of the tile length; 0 or less means one chunk.
  ChunkPlan(std::int64_t length, std::int64_t chunk_bases);
  /// Four or five that are the same from either end, their edges at multiples of `unit` from there;
  /// the outermost are the shortest, for when a sweep begins and ends nothing goes on beside it.
  /// One where the sequence is too short.
  static ChunkPlan mirrored(std::int64_t length, std::int64_t unit);

  std::int64_t count() const noexcept { return count_; }
  bool is_mirrored() const noexcept { return !edges_.empty(); }
  /// Of the longest.
  std::int64_t chunk_bases() const noexcept { return chunk_bases_; }
  ChunkRange range(std::int64_t index) const noexcept;

 private:
  std::int64_t length_;
  std::int64_t chunk_bases_;
  std::int64_t count_;
  std::vector<std::int64_t> edges_;  // from 0 to the length, when mirrored
};

}  // namespace ssmgen::stream
