#include "genome/window.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::genome {

std::int64_t default_site_offset(std::int64_t window_bases) {
  return (window_bases - 1) / 2;
}

WindowPlacement place_window(std::int64_t contig_length, std::int64_t position,
                             std::int64_t window_bases, Edge edge) {
  if (window_bases < 1) {
    throw InvalidArgument(
        fmt::format("place_window: a window needs at least 1 base, not {}", window_bases));
  }
  if (position < 0 || position >= contig_length) {
    throw InvalidArgument(fmt::format("place_window: position {} is not on a contig of {} bases",
                                      position, contig_length));
  }
  std::int64_t start = position - default_site_offset(window_bases);
  if (edge == Edge::shift) {
    // The order matters: a contig shorter than the window starts at 0.
    start = std::max<std::int64_t>(0, std::min(start, contig_length - window_bases));
  }
  return {.start = start, .site_offset = position - start};
}

}  // namespace ssmgen::genome
