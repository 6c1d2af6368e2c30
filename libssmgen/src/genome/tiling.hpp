#pragma once
// How a record longer than a window is read: overlapping windows, each base kept from one of them.

#include <cstdint>

namespace ssmgen::genome {

/// A window of a record, and the bases whose results are taken from it.
struct Tile {
  std::int64_t begin = 0;  ///< in the record
  std::int64_t end = 0;
  std::int64_t keep_begin = 0;  ///< in the record; the kept parts cover it without overlap
  std::int64_t keep_end = 0;

  bool operator==(const Tile&) const = default;
};

/// Windows at every stride, the last one moved inward so that all are full. Two neighbours share
/// their overlap half and half: a base is kept from the window in which it lies farther from a cut.
class Tiling {
 public:
  /// `window_bases` 0 means one window of the whole record.
  /// @throws InvalidArgument unless 1 <= stride <= window, where there is a window
  Tiling(std::int64_t length, std::int64_t window_bases, std::int64_t stride_bases);

  std::int64_t count() const noexcept { return count_; }
  /// Bases of each window; 0 for an empty record.
  std::int64_t window_bases() const noexcept { return window_; }
  Tile tile(std::int64_t index) const noexcept;

 private:
  std::int64_t begin(std::int64_t index) const noexcept;

  std::int64_t length_;
  std::int64_t window_;
  std::int64_t stride_;
  std::int64_t count_ = 0;
};

}  // namespace ssmgen::genome
