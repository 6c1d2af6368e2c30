#pragma once
// The CPU as a back end.

#include <memory>

#include "kernels/backend.hpp"

namespace ssmgen::kernels::cpu {

struct CpuBackendOptions {
  int threads = 0;          ///< that compute, the caller's among them; 0: one a CPU it may run on
  bool native_bf16 = true;  ///< false: products of bf16 in f32 even where the CPU has bf16 units
};

/// Kernels run at once and the only stream is null, so memory is the host's and synchronizing does
/// nothing. One caller at a time has the threads; a second one computes on its own thread.
/// @throws InvalidArgument for negative threads, DeviceError when the system refuses a thread.
std::unique_ptr<Backend> make_cpu_backend(const CpuBackendOptions& options);
std::unique_ptr<Backend> make_cpu_backend(int threads);

}  // namespace ssmgen::kernels::cpu
