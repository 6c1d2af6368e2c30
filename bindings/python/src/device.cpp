// Results that stay on the model's device, and ids that lie on it.

#include <ssmgen/errors.hpp>
#include <type_traits>

#include "bindings.hpp"
#include "dlpack.hpp"

namespace ssmgen::python {

namespace {

// What a capsule's tensor lives on: the memory, and the extents that it points to.
template <class Managed>
struct Owner {
  explicit Owner(const DeviceArray& given) : array(given), shape(given.shape()) {
    strides.resize(shape.size());
    std::int64_t stride = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      strides[axis] = stride;
      stride *= shape[axis];
    }
    dlpack::Tensor& tensor = managed.tensor;
    tensor.data = array.data();
    const Device device = array.device();
    tensor.device = {device.kind == Device::Kind::cuda ? dlpack::on_cuda : dlpack::on_cpu,
                     device.index};
    tensor.rank = static_cast<std::int32_t>(shape.size());
    tensor.type = {2, 32, 1};
    tensor.shape = shape.data();
    tensor.strides = strides.data();
    managed.context = this;
    managed.deleter = [](Managed* self) { delete static_cast<Owner*>(self->context); };
    if constexpr (std::is_same_v<Managed, dlpack::VersionedTensor>) {
      managed.version = dlpack::version;
    }
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  DeviceArray array;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  Managed managed{};
};

// Whoever takes the tensor renames the capsule and calls the deleter when it is done; a capsule
// that nobody took does so itself.
template <class Managed>
py::object capsule_of(const DeviceArray& array) {
  auto owner = std::make_unique<Owner<Managed>>(array);
  PyObject* capsule =
      PyCapsule_New(&owner->managed, dlpack::capsule_name<Managed>, [](PyObject* self) {
        if (PyCapsule_IsValid(self, dlpack::capsule_name<Managed>) == 0) return;
        auto* managed =
            static_cast<Managed*>(PyCapsule_GetPointer(self, dlpack::capsule_name<Managed>));
        managed->deleter(managed);
      });
  if (capsule == nullptr) throw py::error_already_set();
  static_cast<void>(owner.release());
  return py::reinterpret_steal<py::object>(capsule);
}

py::object to_dlpack(const DeviceArray& array, bool versioned) {
  return versioned ? capsule_of<dlpack::VersionedTensor>(array)
                   : capsule_of<dlpack::ManagedTensor>(array);
}

py::array_t<float> to_numpy(const DeviceArray& array) {
  std::vector<float> values(static_cast<std::size_t>(array.count()));
  {
    const py::gil_scoped_release release;
    array.copy_to_host(values);
  }
  return array_of(std::move(values), {array.shape().begin(), array.shape().end()});
}

DeviceArray forward(ModelHandle& handle, const Ids& ids, bool hidden) {
  if (ids.ndim() != 2) throw InvalidArgument("ids: expected (batch, length)");
  const std::span<const std::int32_t> all(ids.data(), static_cast<std::size_t>(ids.size()));
  ForwardRequest request;
  request.logits = !hidden;
  request.last_hidden_state = hidden;
  DeviceForwardResult result = handle.run([&](const Model& model) {
    return model.forward_on_device(all, ids.shape(0), ids.shape(1), request);
  });
  return hidden ? result.last_hidden_state : result.logits;
}

py::array_t<std::uint8_t> read_device(ModelHandle& handle, std::uintptr_t pointer,
                                      std::int64_t bytes) {
  std::vector<std::uint8_t> values(static_cast<std::size_t>(bytes));
  handle.run([&](const Model& model) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it comes as a number in __cuda_array_interface__.
    model.copy_from_device(values.data(), reinterpret_cast<const void*>(pointer), bytes);
  });
  return array_of(std::move(values), {bytes});
}

}  // namespace

void bind_device(py::module_& module) {
  py::class_<DeviceArray>(module, "DeviceArray")
      .def_property_readonly("device",
                             [](const DeviceArray& self) { return device_name(self.device()); })
      .def_property_readonly("device_index",
                             [](const DeviceArray& self) { return self.device().index; })
      .def_property_readonly(
          "is_cuda",
          [](const DeviceArray& self) { return self.device().kind == Device::Kind::cuda; })
      .def_property_readonly(
          "shape", [](const DeviceArray& self) { return py::tuple(py::cast(self.shape())); })
      .def_property_readonly(
          "pointer",
          [](const DeviceArray& self) { return reinterpret_cast<std::uintptr_t>(self.data()); })
      .def("reshape", &DeviceArray::reshape, py::arg("shape"))
      .def("to_dlpack", &to_dlpack, py::arg("versioned"))
      .def("to_numpy", &to_numpy);
  module.def("forward_on_device", &forward, py::arg("model"), py::arg("ids"), py::arg("hidden"));
  module.def("read_device", &read_device, py::arg("model"), py::arg("pointer"), py::arg("bytes"));
}

}  // namespace ssmgen::python
