#pragma once
// CUDA and cuBLAS return codes as DeviceErrors that say what was asked.

#include <cuda_runtime.h>
#include <ssmgen/errors.hpp>
#include <string>
#include <string_view>

namespace ssmgen::kernels::cuda {

/// @throws DeviceError naming `what` and CUDA's own words, unless `code` is success.
inline void check(cudaError_t code, std::string_view what) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // an error that is told must not be found again by the next launch
  throw DeviceError("CUDA: " + std::string(what) + ": " + cudaGetErrorString(code));
}

/// To be called after each launch. @throws DeviceError naming the kernel.
inline void check_launch(std::string_view kernel) {
  check(cudaGetLastError(), kernel);
}

/// So much of a block's shared memory may be asked for when the kernel is launched. To be called
/// before each launch, so nothing is made of `name` unless it fails. @throws DeviceError when a
/// block of the card has less.
template <class Kernel>
void allow_shared_memory(Kernel* kernel, std::size_t bytes, std::string_view name) {
  const cudaError_t code = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                static_cast<int>(bytes));
  if (code == cudaSuccess) return;
  check(code, std::string(name) + ": " + std::to_string(bytes) + " bytes of shared memory");
}

/// Of the card that the calling thread uses. @throws DeviceError.
inline int current_attribute(cudaDeviceAttr what) {
  int device = 0;
  int value = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaDeviceGetAttribute(&value, what, device), "device");
  return value;
}

}  // namespace ssmgen::kernels::cuda
