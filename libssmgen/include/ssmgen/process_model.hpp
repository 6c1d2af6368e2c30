#pragma once
// A model for programs that may fork: what Python and R do without being asked.

#include <memory>
#include <ssmgen/model.hpp>

namespace ssmgen {

/// A model of the process that made this. In a forked child, which has neither its threads nor its
/// device, it is not given out, and left as it is at the end.
class ProcessModel {
 public:
  explicit ProcessModel(Model model);
  ~ProcessModel();
  ProcessModel(const ProcessModel&) = delete;
  ProcessModel& operator=(const ProcessModel&) = delete;

  /// @throws DeviceError in a forked child
  const Model& model() const;

 private:
  std::unique_ptr<Model> model_;
  int process_;
};

}  // namespace ssmgen
