#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <ssmgen/process_model.hpp>
#include <unistd.h>
#include <utility>

namespace ssmgen {

ProcessModel::ProcessModel(Model model)
    : model_(std::make_unique<Model>(std::move(model))), process_(getpid()) {}

ProcessModel::~ProcessModel() {
  if (getpid() != process_) static_cast<void>(model_.release());
}

const Model& ProcessModel::model() const {
  if (getpid() != process_) {
    throw DeviceError(fmt::format(
        "the model was loaded by process {}, and this is a forked child of it, {}, without its "
        "threads and its device: load the model in the child, or use workers that start afresh",
        process_, getpid()));
  }
  return *model_;
}

}  // namespace ssmgen
