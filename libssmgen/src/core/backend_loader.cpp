#include "core/backend_loader.hpp"

#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "kernels/cpu/cpu_backend.hpp"

namespace ssmgen::core {

std::shared_ptr<kernels::Backend> open_backend(Device device, int threads) {
  if (threads < 0) {
    throw InvalidArgument(fmt::format("threads must be 0 (one a core) or more, not {}", threads));
  }
  if (device.kind == Device::Kind::cuda) {
    throw DeviceError(
        fmt::format("device {} was asked for, but this ssmgen was built without its CUDA plugin: "
                    "use --device cpu",
                    device_name(device)));
  }
  return kernels::cpu::make_cpu_backend(threads);
}

}  // namespace ssmgen::core
