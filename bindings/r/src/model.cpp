// A model that R holds: load, describe; errors and progress.

#include <algorithm>
#include <ssmgen/version.hpp>
#include <unistd.h>

#include "binding.hpp"

namespace ssmgen::r {

namespace {

// Which process asked for CUDA first: a driver that was opened does not outlive a fork.
int cuda_process = 0;

void check_cuda_process() {
  const int process = getpid();
  if (cuda_process == 0) cuda_process = process;
  if (cuda_process != process) {
    throw DeviceError("CUDA does not outlive a fork: process " + std::to_string(cuda_process) +
                      " has used it, and this is a forked child of it, " + std::to_string(process) +
                      ": use workers that start afresh, as SnowParam's do");
  }
}

Rcpp::List info_of(const Model& model) {
  const ModelInfo& info = model.info();
  const auto count = [](std::int64_t value) { return static_cast<double>(value); };
  return Rcpp::List::create(
      Rcpp::_["name"] = info.name, Rcpp::_["modelType"] = info.model_type,
      Rcpp::_["channels"] = count(info.d_model), Rcpp::_["blocks"] = count(info.n_layer),
      Rcpp::_["states"] = count(info.d_state), Rcpp::_["parameters"] = count(info.parameters),
      Rcpp::_["maxLength"] = count(info.max_length), Rcpp::_["isCausal"] = info.is_causal,
      Rcpp::_["isReverseComplementEquivariant"] = info.is_reverse_complement_equivariant,
      Rcpp::_["isDNA"] = info.is_dna, Rcpp::_["hasMaskToken"] = info.has_mask_token,
      Rcpp::_["deviceDescription"] = model.device_description(),
      Rcpp::_["threads"] = model.threads());
}

}  // namespace

const Model& model_of(SEXP pointer) {
  const void* address = TYPEOF(pointer) == EXTPTRSXP ? R_ExternalPtrAddr(pointer) : nullptr;
  if (address == nullptr) {
    throw InvalidArgument(
        "this model was saved in another session: load it again with loadModel(path)");
  }
  return static_cast<const ProcessModel*>(address)->model();
}

Rcpp::List answer(const Told& told, const char* key, SEXP value) {
  return Rcpp::List::create(Rcpp::_[key] = value, Rcpp::_["warnings"] = told.warnings,
                            Rcpp::_["notes"] = told.notes);
}

Progress::Progress(SEXP callback) : callback_(callback) {}

void Progress::tell(double done, double total) {
  Rcpp::checkUserInterrupt();
  if (callback_.isNULL()) return;
  constexpr double seconds_between = 0.2;
  const auto now = std::chrono::steady_clock::now();
  if (done < total && std::chrono::duration<double>(now - last_).count() < seconds_between) {
    return;
  }
  last_ = now;
  const SEXP function = callback_;
  const Rcpp::Function call(function);
  call(done, total);
}

}  // namespace ssmgen::r

// [[Rcpp::export]]
std::string library_version() {
  return ssmgen::version();
}

// [[Rcpp::export]]
Rcpp::List load_model(const std::string& path, const Rcpp::List& chosen) {
  using namespace ssmgen;
  return r::guarded([&](r::Told& told) {
    const auto count = [&](const char* name) {
      return static_cast<std::int64_t>(Rcpp::as<double>(chosen[name]));
    };
    ModelOptions options;
    options.device = parse_device(Rcpp::as<std::string>(chosen["device"]));
    options.dtype = parse_dtype(Rcpp::as<std::string>(chosen["dtype"]));
    options.threads = static_cast<int>(count("threads"));
    options.chunk_bases = count("chunk");
    options.max_memory_bytes = count("maxMemory");
    options.device_memory_bytes = count("deviceMemory");
    options.scratch = Rcpp::as<std::string>(chosen["scratch"]);
    if (options.device.kind == Device::Kind::cuda) r::check_cuda_process();
    Model model = Model::load(path, options);
    told.warnings = model.info().warnings;
    for (const std::string& name : model.info().unused) {
      told.warnings.push_back(path + ": tensor " + name + " is not used by this model");
    }
    const Rcpp::List info = r::info_of(model);
    auto handle = std::make_unique<ProcessModel>(std::move(model));
    const Rcpp::XPtr<ProcessModel> pointer(handle.release());
    return Rcpp::List::create(Rcpp::_["pointer"] = pointer, Rcpp::_["info"] = info);
  });
}

// [[Rcpp::export]]
Rcpp::List weights_sha256(SEXP model) {
  using namespace ssmgen;
  return r::guarded([&](r::Told&) { return Rcpp::wrap(r::model_of(model).weights_sha256()); });
}
