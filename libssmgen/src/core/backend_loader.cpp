#include "core/backend_loader.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <string>

#include "kernels/cpu/cpu_backend.hpp"

namespace ssmgen::core {
namespace {

using MakeCudaBackend = kernels::Backend* (*)(int device);

// The library is looked for beside libssmgen.so and where the system looks. It stays loaded: CUDA
// does not survive being unloaded.
std::shared_ptr<kernels::Backend> open_cuda(Device device) {
  const std::string name = "libssmgen_cuda.so";
  Dl_info here{};
  void* plugin = nullptr;
  std::string folder;
  std::string why;
  if (dladdr(reinterpret_cast<const void*>(&open_backend), &here) != 0 &&
      here.dli_fname != nullptr) {
    const std::filesystem::path beside = std::filesystem::path(here.dli_fname).parent_path() / name;
    folder = beside.parent_path();
    plugin = dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
    // One that is there says more than one that is nowhere: a library of CUDA that it needs.
    std::error_code ignored;
    if (plugin == nullptr && std::filesystem::exists(beside, ignored)) why = dlerror();
  }
  if (plugin == nullptr) {
    plugin = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr && why.empty()) why = dlerror();
  }
  if (plugin == nullptr) {
    throw DeviceError(fmt::format(
        "device {} was asked for, but the CUDA plugin cannot be loaded ({}); it was looked for in "
        "{} and where the system looks (LD_LIBRARY_PATH): put it there with the libraries of CUDA, "
        "install an ssmgen that was built with CUDA, or use --device cpu",
        device_name(device), why, folder));
  }
  const auto make = reinterpret_cast<MakeCudaBackend>(dlsym(plugin, "ssmgen_make_cuda_backend"));
  if (make == nullptr) {
    throw DeviceError(fmt::format("{} is not the CUDA plugin of this ssmgen: {}", name, dlerror()));
  }
  return std::shared_ptr<kernels::Backend>(make(device.index));
}

}  // namespace

std::shared_ptr<kernels::Backend> open_backend(Device device, int threads) {
  if (threads < 0) {
    throw InvalidArgument(fmt::format("threads must be 0 (one a core) or more, not {}", threads));
  }
  if (device.kind == Device::Kind::cuda) return open_cuda(device);
  return kernels::cpu::make_cpu_backend(threads);
}

}  // namespace ssmgen::core
