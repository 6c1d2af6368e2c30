#pragma once
// Memory that DeviceArray hands out.

#include <ssmgen/device_array.hpp>

#include "tasks/model_impl.hpp"

namespace ssmgen::tasks {

/// Not cleared. @throws DeviceError when memory is short.
DeviceArray make_device_array(const Model::Impl& model, std::vector<std::int64_t> shape);

}  // namespace ssmgen::tasks
