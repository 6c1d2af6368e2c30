#pragma once
// What the files of the module share: a model that Python holds, arrays, signals.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <ssmgen/embed.hpp>
#include <ssmgen/process_model.hpp>
#include <ssmgen/score.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ssmgen::python {

namespace py = pybind11;

/// Lets Python's signal handlers run: Ctrl-C becomes KeyboardInterrupt. Called without the GIL.
void check_signals();

/// Token ids as the library reads them.
using Ids = py::array_t<std::int32_t, py::array::c_style>;

/// A dense array that takes over the values: nothing is copied.
template <class Value>
py::array_t<Value> array_of(std::vector<Value>&& values, std::vector<py::ssize_t> shape) {
  auto owned = std::make_unique<std::vector<Value>>(std::move(values));
  Value* data = owned->data();
  py::capsule owner(owned.get(),
                    [](void* pointer) { delete static_cast<std::vector<Value>*>(pointer); });
  owned.release();
  return py::array_t<Value>(std::move(shape), data, owner);
}

/// A model and the lock that gives it one caller at a time.
class ModelHandle {
 public:
  explicit ModelHandle(Model model) : model_(std::move(model)) {}
  ModelHandle(const ModelHandle&) = delete;
  ModelHandle& operator=(const ModelHandle&) = delete;

  /// compute(model) without the GIL. @throws DeviceError in a forked child and in a call from a
  /// callback of the model's own call.
  template <class Compute>
  auto run(Compute&& compute) {
    check_caller();
    py::gil_scoped_release release;
    const std::lock_guard lock(mutex_);
    const Owner owner(owner_);
    return compute(model_.model());
  }

  /// Ends something that lies on the model's device, wherever Python drops it: in a callback of the
  /// model's own call, or in a forked child, which has no such device and leaves it as it is.
  template <class Thing>
  void let_go(std::unique_ptr<Thing> thing) noexcept {
    if (is_in_child()) {
      static_cast<void>(thing.release());
    } else if (owner_ == std::this_thread::get_id()) {
      thing.reset();
    } else {
      py::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      thing.reset();
    }
  }

  /// What needs no lock. @throws DeviceError in a forked child.
  const Model& model() const { return model_.model(); }

 private:
  struct Owner {
    explicit Owner(std::atomic<std::thread::id>& id) : id_(id) { id_ = std::this_thread::get_id(); }
    ~Owner() { id_ = std::thread::id(); }
    std::atomic<std::thread::id>& id_;
  };
  void check_caller() const;
  bool is_in_child() const noexcept;

  ProcessModel model_;
  std::mutex mutex_;
  std::atomic<std::thread::id> owner_;
};

/// Splits work so that signals are looked at several times a second, whatever the model's speed.
class Pace {
 public:
  /// Bases of the next piece.
  std::int64_t bases() const { return bases_; }
  /// A piece of so many bases is done: looks at the signals, sets the size of the next.
  void done(std::int64_t bases);

 private:
  std::int64_t bases_ = 4096;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Passes what a run has to say to Python: progress(dict) several times a second, plan(dict),
/// note(str), warning(str); None for what is not wanted. Looks at the signals as often.
class Observer final : public ScoreObserver, public EmbedObserver {
 public:
  Observer(py::object progress, py::object plan, py::object note, py::object warning);

  /// Variants that are in memory have a number, where a file has bytes.
  void expect_records(std::int64_t total) { records_total_ = total; }

  void on_progress(const ScoreProgress& progress) override;
  void on_progress(const EmbedProgress& progress) override;
  void on_plan(const EmbedPlan& plan) override;
  void on_note(const std::string& text) override;
  void on_warning(const std::string& text) override;

 private:
  bool is_due();

  py::object progress_;
  py::object plan_;
  py::object note_;
  py::object warning_;
  std::int64_t records_total_ = -1;
  std::chrono::steady_clock::time_point last_;
};

void bind_model(py::module_& module);
void bind_causal(py::module_& module);
void bind_device(py::module_& module);
void bind_embed(py::module_& module);
void bind_score(py::module_& module);

}  // namespace ssmgen::python
