#pragma once
// A device with a context, for tests that run ops: tensors in, host values out.

#include <memory>
#include <vector>

#include "core/backend_loader.hpp"
#include "core/context.hpp"
#include "tests/support/devices.hpp"

namespace ssmgen::test {

struct Machine {
  explicit Machine(const Device& device = {}, int threads = 2)
      : backend(core::open_backend(device, threads)), context(*backend) {}

  core::Tensor tensor(const std::vector<float>& values, const core::Shape& shape,
                      Dtype dtype = Dtype::f32) const {
    return core::upload(*backend, values, dtype, shape);
  }
  std::vector<float> host(const core::TensorView& view) const {
    std::vector<float> values(static_cast<std::size_t>(view.shape().count()));
    core::download(*backend, context.stream(), view, values);
    return values;
  }

  std::shared_ptr<kernels::Backend> backend;
  core::Context context;
};

}  // namespace ssmgen::test
