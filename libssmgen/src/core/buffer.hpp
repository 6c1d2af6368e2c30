#pragma once
// Bytes on one device, or of the host for its copies, owned.

#include <cstdint>
#include <utility>

#include "kernels/backend.hpp"

namespace ssmgen::core {

enum class MemoryKind : std::uint8_t { device, pinned };

/// Move-only owner of memory of one back end, which must outlive it.
class Buffer {
 public:
  Buffer() = default;

  /// Not cleared. Zero bytes allocate nothing. @throws DeviceError naming device and bytes.
  Buffer(kernels::Backend& backend, std::int64_t bytes, MemoryKind kind = MemoryKind::device)
      : backend_(&backend), bytes_(bytes), kind_(kind) {
    if (bytes <= 0) return;
    data_ = kind == MemoryKind::device ? backend.allocate(bytes) : backend.allocate_pinned(bytes);
  }

  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ == nullptr) return;
    kind_ == MemoryKind::device ? backend_->release(data_) : backend_->release_pinned(data_);
  }

  void* data() const noexcept { return data_; }
  std::int64_t bytes() const noexcept { return bytes_; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(kind_, other.kind_);
  }

  kernels::Backend* backend_ = nullptr;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
  MemoryKind kind_ = MemoryKind::device;
};

}  // namespace ssmgen::core
