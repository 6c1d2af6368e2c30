#pragma once

#include <memory>
#include <ssmgen/device.hpp>

#include "kernels/backend.hpp"

namespace ssmgen::core {

/// The back end of a device. `threads` are the host threads that compute, 0 for one a core.
/// @throws DeviceError when the device or its plugin is not there, InvalidArgument for threads < 0.
std::shared_ptr<kernels::Backend> open_backend(Device device, int threads);

}  // namespace ssmgen::core
