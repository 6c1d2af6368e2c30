#pragma once
// Where the window of a site lies on its contig.

#include <cstdint>

namespace ssmgen::genome {

/// What happens where the window would run past an end of the contig.
enum class Edge : std::uint8_t {
  shift,  ///< the window is moved until it holds real bases only
  pad,    ///< the site keeps its offset and N stands where the contig does not
};

/// Where a window lies.
struct WindowPlacement {
  /// Contig position of the window's first base; negative when `pad` puts N before the contig.
  std::int64_t start = 0;
  /// Position of the site inside the window.
  std::int64_t site_offset = 0;

  bool operator==(const WindowPlacement&) const = default;
};

/// Offset of the site in a window of `window_bases`: (W-1)/2, 255 for 512.
std::int64_t default_site_offset(std::int64_t window_bases);

/// Places the window of `window_bases` bases for the site at `position` of a contig of
/// `contig_length` bases.
///
/// With `pad` the site is at `default_site_offset` always. With `shift` the window lies inside
/// [0, contig_length) and the site's offset gives way; where the contig is shorter than the window,
/// the window starts at 0 and runs past the contig's end (N for the rest). Bases outside the contig
/// are for the caller to fill: i in the window is contig position start + i.
/// @throws InvalidArgument when window_bases < 1 or position is not in [0, contig_length).
WindowPlacement place_window(std::int64_t contig_length, std::int64_t position,
                             std::int64_t window_bases, Edge edge);

}  // namespace ssmgen::genome
