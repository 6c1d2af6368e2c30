#pragma once
// Copies from memory to shared memory behind the thread's back; before sm_80 at once.

#include <cstdint>

namespace ssmgen::kernels::cuda {

__device__ __forceinline__ std::uint32_t shared_address(const void* memory) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(memory));
}

/// Sixteen bytes, zeros when they do not exist.
__device__ __forceinline__ void copy_vector(void* to, const void* from, bool exists) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(exists ? 16 : 0)
               : "memory");
#else
  *static_cast<uint4*>(to) = exists ? *static_cast<const uint4*>(from) : uint4{};
#endif
}

/// For all of the thread's copies.
__device__ __forceinline__ void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

/// Ends a batch of the thread's copies.
__device__ __forceinline__ void end_batch() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// For all but the latest so many batches.
template <int latest>
__device__ __forceinline__ void wait_for_batches() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(latest) : "memory");
#endif
}

}  // namespace ssmgen::kernels::cuda
