#pragma once
// Bytes on one device, owned.

#include <cstdint>
#include <utility>

#include "kernels/backend.hpp"

namespace ssmgen::core {

/// Move-only owner of device memory of one back end, which must outlive it.
class Buffer {
 public:
  Buffer() = default;

  /// Not cleared. Zero bytes allocate nothing. @throws DeviceError naming device and bytes.
  Buffer(kernels::Backend& backend, std::int64_t bytes)
      : backend_(&backend), data_(bytes > 0 ? backend.allocate(bytes) : nullptr), bytes_(bytes) {}

  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) backend_->release(data_);
  }

  void* data() const noexcept { return data_; }
  std::int64_t bytes() const noexcept { return bytes_; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  kernels::Backend* backend_ = nullptr;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace ssmgen::core
