#include "tasks/device_array.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <numeric>
#include <ssmgen/errors.hpp>
#include <unistd.h>
#include <utility>

namespace ssmgen {
namespace {

std::int64_t product(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

// The back end goes after the memory that is its own.
struct DeviceArray::Memory {
  struct Held {
    std::shared_ptr<kernels::Backend> backend;
    core::Buffer buffer;
  };

  Memory(Device on, std::shared_ptr<kernels::Backend> backend, std::int64_t bytes)
      : device(on), process(getpid()), held(std::make_unique<Held>()) {
    held->backend = std::move(backend);
    held->buffer = core::Buffer(*held->backend, bytes);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  // A forked child has no device to give it back to.
  ~Memory() {
    if (getpid() != process) static_cast<void>(held.release());
  }

  Device device;
  pid_t process;
  std::unique_ptr<Held> held;
};

DeviceArray::DeviceArray(std::shared_ptr<const Memory> memory, std::vector<std::int64_t> shape)
    : memory_(std::move(memory)), shape_(std::move(shape)) {}

Device DeviceArray::device() const {
  return memory_ == nullptr ? Device() : memory_->device;
}

std::int64_t DeviceArray::count() const noexcept {
  return memory_ == nullptr ? 0 : product(shape_);
}

float* DeviceArray::data() const noexcept {
  return memory_ == nullptr ? nullptr : static_cast<float*>(memory_->held->buffer.data());
}

DeviceArray DeviceArray::reshape(std::vector<std::int64_t> shape) const {
  if (memory_ == nullptr || product(shape) != count()) {
    throw InvalidArgument(fmt::format("{} numbers were asked to have the shape ({})", count(),
                                      fmt::join(shape, ", ")));
  }
  return {memory_, std::move(shape)};
}

void DeviceArray::copy_to_host(std::span<float> to) const {
  if (std::ssize(to) != count()) {
    throw InvalidArgument(fmt::format("room for {} numbers was given for {}", to.size(), count()));
  }
  if (to.empty()) return;
  if (getpid() != memory_->process) {
    throw DeviceError(
        "the array belongs to another process, of which this is a forked child without its device");
  }
  kernels::Backend& backend = *memory_->held->backend;
  backend.synchronize_device();
  const core::Context context(backend);
  backend.copy_to_host(context.stream(), to.data(), data(), std::ssize(to) * sizeof(float));
  context.synchronize();
}

DeviceArray tasks::make_device_array(const Model::Impl& model, std::vector<std::int64_t> shape) {
  const std::int64_t bytes = product(shape) * static_cast<std::int64_t>(sizeof(float));
  return {std::make_shared<DeviceArray::Memory>(model.options.device, model.backend, bytes),
          std::move(shape)};
}

}  // namespace ssmgen
