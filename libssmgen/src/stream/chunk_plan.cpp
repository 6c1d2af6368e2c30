#include "stream/chunk_plan.hpp"

#include <algorithm>

#include "kernels/common.hpp"

namespace ssmgen::stream {

ChunkPlan::ChunkPlan(std::int64_t length, std::int64_t chunk_bases) : length_(length) {
  constexpr std::int64_t tile = kernels::tile_length;
  const bool whole = chunk_bases <= 0 || chunk_bases >= length;
  chunk_bases_ = whole ? length : (chunk_bases + tile - 1) / tile * tile;
  chunk_bases_ = std::min(chunk_bases_, length);
  count_ = length == 0 ? 0 : (length + chunk_bases_ - 1) / chunk_bases_;
}

ChunkRange ChunkPlan::range(std::int64_t index) const noexcept {
  const std::int64_t begin = index * chunk_bases_;
  return {begin, std::min(begin + chunk_bases_, length_)};
}

}  // namespace ssmgen::stream
