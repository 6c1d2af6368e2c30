#include "genome/tiling.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::genome {

Tiling::Tiling(std::int64_t length, std::int64_t window_bases, std::int64_t stride_bases)
    : length_(length),
      window_(window_bases == 0 ? length : std::min(length, window_bases)),
      stride_(stride_bases) {
  if (window_bases < 0 || (window_bases > 0 && (stride_bases < 1 || stride_bases > window_bases))) {
    throw InvalidArgument(
        fmt::format("the stride must be 1 to {} bases, the window, not {}: larger ones would leave "
                    "bases out",
                    window_bases, stride_bases));
  }
  if (length == 0) return;
  count_ = length == window_ ? 1 : 1 + (length - window_ + stride_ - 1) / stride_;
}

std::int64_t Tiling::begin(std::int64_t index) const noexcept {
  return std::min(index * stride_, length_ - window_);
}

Tile Tiling::tile(std::int64_t index) const noexcept {
  // The middle of the overlap with the next window.
  const auto cut_after = [this](std::int64_t i) { return (begin(i + 1) + begin(i) + window_) / 2; };
  Tile tile;
  tile.begin = count_ == 1 ? 0 : begin(index);
  tile.end = tile.begin + window_;
  tile.keep_begin = index == 0 ? 0 : cut_after(index - 1);
  tile.keep_end = index + 1 == count_ ? length_ : cut_after(index);
  return tile;
}

}  // namespace ssmgen::genome
