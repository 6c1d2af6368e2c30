#include "kernels/cpu/host_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <utility>

namespace ssmgen::kernels::cpu {
namespace {

constexpr std::int64_t cache_line_bytes = 64;
constexpr std::int64_t page_bytes = 4096;
constexpr std::int64_t huge_page_bytes = 2 << 20;

/// Memory and swap of the machine. Linux promises more than that and kills the process when it
/// is used, so a request above it is refused while there is still someone to tell.
std::uint64_t machine_bytes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return UINT64_MAX;
  return (std::uint64_t{info.totalram} + info.totalswap) * info.mem_unit;
}

}  // namespace

void* allocate_host(std::int64_t bytes) {
  if (bytes < 0) {
    throw InvalidArgument(fmt::format("cpu memory: asked for a negative size, {} bytes", bytes));
  }
  const std::uint64_t limit = machine_bytes();
  void* memory = nullptr;
  if (std::cmp_less_equal(bytes, limit)) {
    const std::int64_t alignment = bytes >= huge_page_bytes ? page_bytes : cache_line_bytes;
    const std::int64_t rounded =
        (std::max(bytes, alignment) + alignment - 1) / alignment * alignment;
    memory =
        std::aligned_alloc(static_cast<std::size_t>(alignment), static_cast<std::size_t>(rounded));
    if (memory != nullptr && alignment == page_bytes) {
      // Only a hint: without huge pages all is as before, but slower.
      static_cast<void>(madvise(memory, static_cast<std::size_t>(rounded), MADV_HUGEPAGE));
    }
  }
  if (memory == nullptr) {
    throw DeviceError(fmt::format(
        "cpu memory: {} bytes were asked for and could not be had (the machine has {} bytes of "
        "memory and swap): use a smaller batch or chunk",
        bytes, limit));
  }
  return memory;
}

void release_host(void* memory) noexcept {
  std::free(memory);
}

ScratchPool::Block::~Block() {
  if (memory_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  // `borrow` made room for this block, so push_back does not allocate and cannot throw.
  pool_->idle_.push_back(Idle{std::move(memory_), bytes_});
}

ScratchPool::Block ScratchPool::borrow(std::int64_t bytes) {
  Block block(*this);
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      block.memory_ = std::move(idle_.back().memory);
      block.bytes_ = idle_.back().bytes;
      idle_.pop_back();
      if (block.bytes_ >= bytes) return block;
    } else {
      idle_.reserve(static_cast<std::size_t>(++blocks_));
    }
  }
  block.memory_.reset();  // before the larger one, so that both never stand side by side
  block.memory_.reset(static_cast<std::byte*>(allocate_host(bytes)));
  block.bytes_ = bytes;
  return block;
}

}  // namespace ssmgen::kernels::cpu
