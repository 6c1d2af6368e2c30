#pragma once
// A stretch of a contig. Positions are 0-based and half-open here; 1-based text is read and written
// in io, where the names of contigs (which may hold colons) are known.

#include <cstdint>
#include <limits>
#include <string>

namespace ssmgen::genome {

/// [begin, end) of a contig.
struct Region {
  /// The end of a region that runs to the end of its contig.
  static constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();

  std::string contig;
  std::int64_t begin = 0;
  std::int64_t end = kToTheEnd;

  /// True when [other_begin, other_end) shares a base with the region.
  bool overlaps(std::int64_t other_begin, std::int64_t other_end) const {
    return other_begin < end && begin < other_end;
  }

  bool operator==(const Region&) const = default;
};

}  // namespace ssmgen::genome
