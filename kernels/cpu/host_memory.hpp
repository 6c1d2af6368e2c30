#pragma once
// Host memory of the CPU back end: what it hands out, and the scratch of its kernels.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace ssmgen::kernels::cpu {

/// Memory aligned to 64 bytes (4096 from 2 MiB on, and then asked to be huge pages), not cleared.
/// Never null; free it with release_host. @throws DeviceError naming the bytes when the machine
/// has them not, InvalidArgument when negative.
void* allocate_host(std::int64_t bytes);
void release_host(void* memory) noexcept;

/// Blocks of scratch that threads borrow for one piece of work and give back, so that nothing is
/// thread-local and no more blocks exist than were ever in use at once.
class ScratchPool {
  struct Free {
    void operator()(std::byte* memory) const noexcept { release_host(memory); }
  };
  using Memory = std::unique_ptr<std::byte, Free>;

 public:
  /// A borrowed block; gives itself back to the pool, which must outlive it.
  class Block {
   public:
    Block(Block&& other) noexcept = default;
    Block& operator=(Block&&) = delete;
    ~Block();

    std::byte* data() const noexcept { return memory_.get(); }

   private:
    friend class ScratchPool;
    explicit Block(ScratchPool& pool) : pool_(&pool) {}

    ScratchPool* pool_;
    Memory memory_;
    std::int64_t bytes_ = 0;
  };

  ScratchPool() = default;
  ScratchPool(const ScratchPool&) = delete;
  ScratchPool& operator=(const ScratchPool&) = delete;

  /// At least that many bytes, aligned to 64, with any content. @throws DeviceError as
  /// allocate_host does.
  Block borrow(std::int64_t bytes);

 private:
  struct Idle {
    Memory memory;
    std::int64_t bytes = 0;
  };

  std::mutex mutex_;
  std::vector<Idle> idle_;
  std::int64_t blocks_ = 0;  ///< lent and idle
};

}  // namespace ssmgen::kernels::cpu
