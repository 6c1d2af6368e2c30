// Model, ModelInfo: load, encode, logits and hidden states.

#include <algorithm>
#include <cstring>
#include <ssmgen/errors.hpp>

#include "bindings.hpp"

namespace ssmgen::python {

namespace {

std::shared_ptr<ModelHandle> load(const std::string& directory, const ModelOptions& options) {
  py::gil_scoped_release release;
  return std::make_shared<ModelHandle>(Model::load(directory, options));
}

PassPlan plan(ModelHandle& handle, std::int64_t length, bool predicts_all, bool estimates_time) {
  return handle.run(
      [&](const Model& model) { return model.plan(length, predicts_all, estimates_time); });
}

// (batch, length) -> (batch, length, vocabulary or hidden_width), so many rows at a time.
py::array_t<float> forward(ModelHandle& handle, const Ids& ids, bool hidden) {
  if (ids.ndim() != 2) throw InvalidArgument("ids: expected (batch, length)");
  const std::int64_t batch = ids.shape(0);
  const std::int64_t length = ids.shape(1);
  const std::span<const std::int32_t> all(ids.data(), static_cast<std::size_t>(ids.size()));
  const ModelInfo& info = handle.model().info();
  const std::int64_t channels = hidden ? info.hidden_width : info.vocabulary;
  ForwardRequest request;
  request.logits = !hidden;
  request.last_hidden_state = hidden;
  std::vector<float> values = handle.run([&](const Model& model) {
    Pace pace;
    std::vector<float> gathered;
    for (std::int64_t row = 0; row < batch || row == 0;) {
      const std::int64_t most = pace.bases() / std::max<std::int64_t>(1, length);
      const std::int64_t rows = std::min(batch - row, std::max<std::int64_t>(1, most));
      const auto part = all.subspan(static_cast<std::size_t>(row * length),
                                    static_cast<std::size_t>(rows * length));
      ForwardResult result = model.forward(part, rows, length, request);
      std::vector<float>& found = hidden ? result.last_hidden_state : result.logits;
      if (rows == batch) {
        gathered = std::move(found);
      } else {
        gathered.reserve(static_cast<std::size_t>(batch * length * channels));
        gathered.insert(gathered.end(), found.begin(), found.end());
      }
      row += rows;
      pace.done(rows * length);
      if (rows == 0) break;
    }
    return gathered;
  });
  return array_of(std::move(values), {batch, length, channels});
}

py::array_t<std::int32_t> encode(const ModelHandle& handle, const std::string& sequence) {
  std::vector<std::int32_t> ids = handle.model().encode(sequence);
  const auto length = static_cast<py::ssize_t>(ids.size());
  return array_of(std::move(ids), {length});
}

void bind_info(py::module_& module) {
  py::class_<ModelInfo>(module, "ModelInfo", "What a checkpoint directory holds.")
      .def_readonly("name", &ModelInfo::name, "last part of the directory's name")
      .def_readonly("directory", &ModelInfo::directory, "as given")
      .def_readonly("model_type", &ModelInfo::model_type,
                    "caduceus, mamba, mamba_ssm, s4, s4_block")
      .def_readonly("d_model", &ModelInfo::d_model, "channels of the residual stream, one strand")
      .def_readonly("n_layer", &ModelInfo::n_layer, "blocks")
      .def_readonly("d_inner", &ModelInfo::d_inner, "channels of the scan")
      .def_readonly("d_state", &ModelInfo::d_state, "states of a channel")
      .def_readonly("vocabulary", &ModelInfo::vocabulary, "tokens, padding included")
      .def_readonly("hidden_width", &ModelInfo::hidden_width,
                    "channels of a hidden state, both strands")
      .def_readonly("parameters", &ModelInfo::parameters,
                    "stored floating point values, tied ones once")
      .def_readonly("max_length", &ModelInfo::max_length, "bases; 0 when the model states none")
      .def_readonly("is_bidirectional", &ModelInfo::is_bidirectional)
      .def_readonly("is_causal", &ModelInfo::is_causal,
                    "a position's logits depend on the positions up to it alone")
      .def_readonly("is_reverse_complement_equivariant",
                    &ModelInfo::is_reverse_complement_equivariant)
      .def_readonly("is_dna", &ModelInfo::is_dna, "has tokens for A, C, G and T")
      .def_readonly("has_mask_token", &ModelInfo::has_mask_token)
      .def_readonly("tied", &ModelInfo::tied, "[(tensor, the one that serves)]")
      .def_readonly("missing", &ModelInfo::missing, "tensors that are not there")
      .def_readonly("unused", &ModelInfo::unused, "tensors that nothing reads")
      .def_readonly("warnings", &ModelInfo::warnings, "said of config and tokenizer");
}

void bind_options(py::module_& module) {
  py::class_<ModelOptions>(module, "ModelOptions")
      .def(py::init<>())
      .def_property(
          "device", [](const ModelOptions& self) { return device_name(self.device); },
          [](ModelOptions& self, const std::string& text) { self.device = parse_device(text); })
      .def_property(
          "dtype", [](const ModelOptions& self) { return std::string(dtype_name(self.dtype)); },
          [](ModelOptions& self, const std::string& text) { self.dtype = parse_dtype(text); })
      .def_readwrite("threads", &ModelOptions::threads)
      .def_readwrite("chunk", &ModelOptions::chunk_bases)
      .def_readwrite("max_memory", &ModelOptions::max_memory_bytes)
      .def_readwrite("device_memory", &ModelOptions::device_memory_bytes)
      .def_readwrite("scratch", &ModelOptions::scratch);
}

void bind_plan(py::module_& module) {
  py::class_<PassPlan>(module, "PassPlan",
                       "How a sequence goes through a model, and what that takes beside the "
                       "weights.")
      .def_readonly("mode", &PassPlan::mode, "whole, kept, folded or chunks")
      .def_readonly("stream_place", &PassPlan::stream_place,
                    "of folded: device, host or scratch; device is memory on a CPU")
      .def_readonly("length", &PassPlan::length, "bases")
      .def_readonly("chunk", &PassPlan::chunk_bases, "bases")
      .def_readonly("device_bytes", &PassPlan::device_bytes, "memory of the device")
      .def_readonly("host_bytes", &PassPlan::host_bytes, "memory of a device's host")
      .def_readonly("scratch_bytes", &PassPlan::scratch_bytes, "of the scratch folder")
      .def_readonly("seconds", &PassPlan::seconds, "estimated; 0 when it was not asked for");
}

}  // namespace

void bind_model(py::module_& module) {
  bind_info(module);
  bind_options(module);
  bind_plan(module);
  py::class_<ModelHandle, std::shared_ptr<ModelHandle>>(module, "Model")
      .def_property_readonly("info", [](const ModelHandle& self) { return self.model().info(); })
      .def_property_readonly(
          "device",
          [](const ModelHandle& self) { return device_name(self.model().options().device); })
      .def_property_readonly("dtype",
                             [](const ModelHandle& self) {
                               return std::string(dtype_name(self.model().options().dtype));
                             })
      .def_property_readonly(
          "device_description",
          [](const ModelHandle& self) { return self.model().device_description(); })
      .def_property_readonly("threads",
                             [](const ModelHandle& self) { return self.model().threads(); })
      .def("weights_sha256",
           [](ModelHandle& self) {
             return self.run([](const Model& model) { return model.weights_sha256(); });
           })
      .def("plan", &plan, py::arg("length"), py::arg("predicts_all"), py::arg("estimates_time"))
      .def("encode", &encode)
      .def("forward", &forward, py::arg("ids"), py::arg("hidden"));
  module.def("load", &load, py::arg("directory"), py::arg("options"));
  module.def("describe_model", &describe_model, py::call_guard<py::gil_scoped_release>());
}

}  // namespace ssmgen::python
