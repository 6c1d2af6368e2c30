#include "stream/chunk_plan.hpp"

#include <algorithm>

#include "kernels/common.hpp"

namespace ssmgen::stream {
namespace {

// What the outermost of mirrored chunks have of the length; measured.
constexpr std::int64_t outer_share = 3;
constexpr std::int64_t all_shares = 16;

}  // namespace

ChunkPlan::ChunkPlan(std::int64_t length, std::int64_t chunk_bases) : length_(length) {
  constexpr std::int64_t tile = kernels::tile_length;
  const bool whole = chunk_bases <= 0 || chunk_bases >= length;
  chunk_bases_ = whole ? length : (chunk_bases + tile - 1) / tile * tile;
  chunk_bases_ = std::min(chunk_bases_, length);
  count_ = length == 0 ? 0 : (length + chunk_bases_ - 1) / chunk_bases_;
}

ChunkPlan ChunkPlan::mirrored(std::int64_t length, std::int64_t unit) {
  ChunkPlan plan(length, 0);
  const auto units = [&](std::int64_t positions) { return positions / unit * unit; };
  const std::int64_t outer = units(std::max(unit, length * outer_share / all_shares));
  std::int64_t inner = units(length / 2 - outer);
  std::int64_t middle = length - 2 * (outer + inner);
  if (middle > 0 && middle < unit) {  // too short to hand a convolution's inputs on
    inner -= unit;
    middle += 2 * unit;
  }
  if (inner <= 0) return plan;
  plan.edges_ = {0, outer, outer + inner};
  if (middle > 0) plan.edges_.push_back(outer + inner + middle);
  plan.edges_.push_back(length - outer);
  plan.edges_.push_back(length);
  plan.count_ = std::ssize(plan.edges_) - 1;
  plan.chunk_bases_ = std::max({outer, inner, middle});
  return plan;
}

ChunkRange ChunkPlan::range(std::int64_t index) const noexcept {
  if (!edges_.empty()) {
    const auto i = static_cast<std::size_t>(index);
    return {edges_[i], edges_[i + 1]};
  }
  const std::int64_t begin = index * chunk_bases_;
  return {begin, std::min(begin + chunk_bases_, length_)};
}

}  // namespace ssmgen::stream
