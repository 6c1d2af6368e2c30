#include "core/workspace.hpp"

#include <algorithm>

namespace ssmgen::core {
namespace {

constexpr std::int64_t alignment = 256;
constexpr std::int64_t smallest_block_bytes = std::int64_t{1} << 20;

}  // namespace

std::int64_t Workspace::taken_bytes(ElementType type, const Shape& shape) noexcept {
  return (shape.count() * element_bytes(type) + alignment - 1) / alignment * alignment;
}

void Workspace::reserve(std::int64_t bytes) {
  if (block_ != 0 || used_ != 0) return;
  if (blocks_.size() == 1 && blocks_.front().bytes() == std::max(bytes, smallest_block_bytes)) {
    return;
  }
  blocks_.clear();
  held_ = 0;
  blocks_.emplace_back(*backend_, std::max(bytes, smallest_block_bytes));
  held_ = blocks_.back().bytes();
}

TensorView Workspace::take(ElementType type, const Shape& shape) {
  const std::int64_t wanted = taken_bytes(type, shape);
  while (block_ < blocks_.size() && used_ + wanted > blocks_[block_].bytes()) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    blocks_.emplace_back(*backend_, std::max(wanted, smallest_block_bytes));
    held_ += blocks_.back().bytes();
    used_ = 0;
  }
  void* data = static_cast<char*>(blocks_[block_].data()) + used_;
  used_ += wanted;
  return {data, type, shape};
}

}  // namespace ssmgen::core
