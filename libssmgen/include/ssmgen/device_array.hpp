#pragma once
// Numbers that stay on the device that computed them.

#include <cstdint>
#include <memory>
#include <span>
#include <ssmgen/device.hpp>
#include <vector>

namespace ssmgen {

/// Dense row-major f32 in memory of a device; of the CPU that is host memory. Copies share the
/// memory, which goes with the last of them, whether or not the model is still there. In a forked
/// child it is left as it is.
class DeviceArray {
 public:
  /// Empty: no memory, no shape.
  DeviceArray() = default;

  Device device() const;
  const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
  /// Product of the shape; 0 of an empty one.
  std::int64_t count() const noexcept;
  /// The first number, on the device; null of an empty one.
  float* data() const noexcept;

  /// The same memory in another shape. @throws InvalidArgument when it holds another count.
  DeviceArray reshape(std::vector<std::int64_t> shape) const;
  /// Waits for the device's work on it and copies. @throws InvalidArgument for a span of another
  /// size, DeviceError.
  void copy_to_host(std::span<float> to) const;

  /// For the sources of the library.
  struct Memory;
  DeviceArray(std::shared_ptr<const Memory> memory, std::vector<std::int64_t> shape);

 private:
  std::shared_ptr<const Memory> memory_;
  std::vector<std::int64_t> shape_;
};

}  // namespace ssmgen
