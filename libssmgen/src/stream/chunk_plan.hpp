#pragma once
// How a sequence is cut: pure arithmetic.

#include <cstdint>

namespace ssmgen::stream {

struct ChunkRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;  ///< half-open

  std::int64_t length() const noexcept { return end - begin; }
  bool operator==(const ChunkRange&) const = default;
};

/// Cuts [0, length) into chunks whose edges are multiples of the kernels' tile length.
class ChunkPlan {
 public:
  /// `chunk_bases` is rounded up to a multiple of the tile length; 0 or less means one chunk.
  ChunkPlan(std::int64_t length, std::int64_t chunk_bases);

  std::int64_t count() const noexcept { return count_; }
  std::int64_t chunk_bases() const noexcept { return chunk_bases_; }
  ChunkRange range(std::int64_t index) const noexcept;

 private:
  std::int64_t length_;
  std::int64_t chunk_bases_;
  std::int64_t count_;
};

}  // namespace ssmgen::stream
