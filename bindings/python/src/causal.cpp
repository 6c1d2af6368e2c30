// A sequence read piece by piece through a causal model.

#include <ssmgen/causal.hpp>
#include <ssmgen/errors.hpp>
#include <string_view>

#include "bindings.hpp"

namespace ssmgen::python {

namespace {

/// A runner and the model it lives on.
class CausalState {
 public:
  explicit CausalState(std::shared_ptr<ModelHandle> handle) : handle_(std::move(handle)) {
    runner_ =
        handle_->run([](const Model& model) { return std::make_unique<CausalRunner>(model); });
  }
  CausalState(const CausalState&) = delete;
  CausalState& operator=(const CausalState&) = delete;
  ~CausalState() { handle_->let_go(std::move(runner_)); }

  std::int64_t position() const { return runner_->position(); }

  py::array_t<float> feed(const Ids& ids, bool hidden) {
    if (ids.ndim() != 1) throw InvalidArgument("ids: expected (length,)");
    const std::span<const std::int32_t> piece(ids.data(), static_cast<std::size_t>(ids.size()));
    ForwardRequest request;
    request.logits = !hidden;
    request.last_hidden_state = hidden;
    ForwardResult result =
        handle_->run([&](const Model&) { return runner_->feed(piece, request); });
    const ModelInfo& info = handle_->model().info();
    return hidden ? array_of(std::move(result.last_hidden_state), {ids.size(), info.hidden_width})
                  : array_of(std::move(result.logits), {ids.size(), info.vocabulary});
  }

  py::bytes save() {
    return handle_->run([&](const Model&) { return runner_->save(); });
  }

  // A state that is refused leaves the runner where it was.
  void resume(const py::bytes& state) {
    const std::string_view bytes = state;
    handle_->run([&](const Model& model) { *runner_ = CausalRunner(model, bytes); });
  }

 private:
  std::shared_ptr<ModelHandle> handle_;
  std::unique_ptr<CausalRunner> runner_;
};

}  // namespace

void bind_causal(py::module_& module) {
  py::class_<CausalState>(module, "CausalState")
      .def(py::init<std::shared_ptr<ModelHandle>>(), py::arg("model"))
      .def_property_readonly_static("border",
                                    [](const py::object&) { return CausalRunner::border_bases; })
      .def_property_readonly("position", &CausalState::position)
      .def("feed", &CausalState::feed, py::arg("ids"), py::arg("hidden"))
      .def("save", &CausalState::save)
      .def("resume", &CausalState::resume, py::arg("state"));
}

}  // namespace ssmgen::python
