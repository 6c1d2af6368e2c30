#pragma once
// Cuts the rows of a kernel that is bound by memory into blocks for the pool.

#include <algorithm>
#include <cstdint>

#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::kernels::cpu {

/// Calls body(first, last) over [0, count) in blocks of about 64 KiB: enough that handing one out
/// costs nothing, few enough bytes that a block stays in L2.
template <class Body>
void for_blocks(ThreadPool& pool, std::int64_t count, std::int64_t item_bytes, const Body& body) {
  constexpr std::int64_t block_bytes = 64 << 10;
  const std::int64_t block =
      std::max<std::int64_t>(1, block_bytes / std::max<std::int64_t>(1, item_bytes));
  pool.parallel_for((count + block - 1) / block, [&](std::int64_t index) {
    body(index * block, std::min(count, (index + 1) * block));
  });
}

}  // namespace ssmgen::kernels::cpu
