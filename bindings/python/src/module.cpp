// The module ssmgen._core: what the public headers give, as Python's classes and functions.
// The package's own files in ssmgen/ make of it what a user sees.

#include <algorithm>
#include <cctype>
#include <ssmgen/errors.hpp>
#include <ssmgen/version.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "bindings.hpp"

namespace ssmgen::python {

namespace {

using std::chrono::steady_clock;

constexpr double signal_seconds = 0.3;
constexpr std::int64_t least_bases = 512;
constexpr std::int64_t most_bases = std::int64_t{1} << 26;

// The library tells remedies as the command's options: --check-ref is check_ref here.
std::string in_arguments(std::string_view text) {
  std::string result;
  bool is_option = text.starts_with("check-ref ");
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char before = i == 0 ? ' ' : text[i - 1];
    if ((before == ' ' || before == '(') && text.substr(i).starts_with("--") &&
        i + 2 < text.size() && std::islower(static_cast<unsigned char>(text[i + 2])) != 0) {
      is_option = true;
      ++i;
      continue;
    }
    const char letter = text[i];
    is_option =
        is_option && (letter == '-' || std::islower(static_cast<unsigned char>(letter)) != 0);
    result += is_option && letter == '-' ? '_' : letter;
  }
  return result;
}

// pybind11 asks the translators registered last first, and the base classes come last here.
void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(std::move(thrown));
  } catch (const InvalidArgument& error) {
    PyErr_SetString(PyExc_ValueError, in_arguments(error.what()).c_str());
  } catch (const FormatError& error) {
    const py::object type = py::module_::import("ssmgen.errors").attr("FormatError");
    PyErr_SetString(type.ptr(), in_arguments(error.what()).c_str());
  } catch (const Error& error) {
    PyErr_SetString(PyExc_RuntimeError, in_arguments(error.what()).c_str());
  }
}

}  // namespace

void check_signals() {
  const py::gil_scoped_acquire acquire;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void ModelHandle::check_caller() const {
  model();
  if (owner_ == std::this_thread::get_id()) {
    throw DeviceError("the model is busy with the call that this callback belongs to");
  }
}

bool ModelHandle::is_in_child() const noexcept {
  try {
    model();
    return false;
  } catch (const DeviceError&) {
    return true;
  }
}

void Pace::done(std::int64_t bases) {
  check_signals();
  const steady_clock::time_point now = steady_clock::now();
  const double seconds = std::max(1e-6, std::chrono::duration<double>(now - start_).count());
  const double next = static_cast<double>(bases) / seconds * signal_seconds;
  // No more than fourfold at once: the first piece pays for what is made at the first call.
  bases_ = std::clamp(static_cast<std::int64_t>(next), least_bases, 4 * std::max(bases, bases_));
  bases_ = std::min(bases_, most_bases);
  start_ = now;
}

Observer::Observer(py::object progress, py::object plan, py::object note, py::object warning)
    : progress_(std::move(progress)),
      plan_(std::move(plan)),
      note_(std::move(note)),
      warning_(std::move(warning)) {}

bool Observer::is_due() {
  const steady_clock::time_point now = steady_clock::now();
  if (std::chrono::duration<double>(now - last_).count() < signal_seconds) return false;
  last_ = now;
  return true;
}

void Observer::on_progress(const ScoreProgress& progress) {
  if (!is_due()) return;
  check_signals();
  const py::gil_scoped_acquire acquire;
  if (progress_.is_none()) return;
  py::dict told;
  told["records"] = progress.records_written;
  if (records_total_ < 0) {
    told["bytes_read"] = progress.bytes_read;
    told["bytes_total"] = progress.bytes_total;
  } else {
    told["records_total"] = records_total_;
  }
  told["seconds"] = progress.seconds;
  progress_(told);
}

void Observer::on_progress(const EmbedProgress& progress) {
  if (!is_due()) return;
  check_signals();
  const py::gil_scoped_acquire acquire;
  if (progress_.is_none()) return;
  py::dict told;
  told["records"] = progress.records;
  told["bases"] = progress.bases;
  told["bases_total"] = progress.bases_total;
  told["seconds"] = progress.seconds;
  progress_(told);
}

void Observer::on_plan(const EmbedPlan& plan) {
  const py::gil_scoped_acquire acquire;
  if (plan_.is_none()) return;
  py::dict told;
  told["input_kind"] = plan.input_kind;
  told["records"] = plan.records;
  told["bases"] = plan.bases;
  told["windows"] = plan.windows;
  told["longest_window"] = plan.longest_window;
  told["output_type"] = plan.output_type;
  told["shape"] = plan.shape;
  told["output_bytes"] = plan.output_bytes;
  told["files"] = plan.files;
  plan_(told);
}

void Observer::on_note(const std::string& text) {
  const py::gil_scoped_acquire acquire;
  if (!note_.is_none()) note_(text);
}

void Observer::on_warning(const std::string& text) {
  const py::gil_scoped_acquire acquire;
  if (!warning_.is_none()) warning_(in_arguments(text));
}

// What PyInit__core, below, hands on to.
PYBIND11_MODULE(_core_of_main, module) {
  module.doc() = "libssmgen for Python; use the package ssmgen";
  module.def("version", &version);
  py::register_exception_translator(&translate);
  bind_model(module);
  bind_causal(module);
  bind_device(module);
  bind_embed(module);
  bind_score(module);
}

}  // namespace ssmgen::python

// What Python calls for the module _core. pybind11 takes the GIL as the main interpreter does, so
// in another one it would wait for itself for ever: that is told here, before it begins.
// NOLINTNEXTLINE(bugprone-reserved-identifier): the name that Python looks for.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError,
                    "ssmgen works in the main interpreter alone, and this is a subinterpreter: use "
                    "threads, which may share a model, or processes");
    return nullptr;
  }
  return ssmgen::python::PyInit__core_of_main();
}
