#pragma once
// Hand-overs between the warps of a block, and from a block to a block of its cluster: a signal is
// raised when something in shared memory is ready, and waited for by whoever needs it. Each use of
// a signal is raised once; who waits counts the uses. mbarriers from sm_80 on, clusters from sm_90.

#include <cstdint>

#include "kernels/cuda/async_copy.cuh"

namespace ssmgen::kernels::cuda {

struct Signal {
  std::uint64_t word;

  /// To be called once before its first use, then publish_signals() by all.
  __device__ void prepare() {
#if __CUDA_ARCH__ >= 800
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 32;" ::"r"(shared_address(&word)) : "memory");
#else
    word = 0;
#endif
  }

  /// By all lanes of a warp, each behind what it wrote.
  __device__ void raise() {
#if __CUDA_ARCH__ >= 800
    asm volatile("{ .reg .b64 state; mbarrier.arrive.shared::cta.b64 state, [%0]; }" ::"r"(
                     shared_address(&word))
                 : "memory");
#else
    __threadfence_block();
    __syncwarp();
    if (threadIdx.x % 32 == 0) *static_cast<volatile std::uint64_t*>(&word) = word + 1;
#endif
  }

  /// By all lanes of a warp: the next use is raised when send() has brought so many bytes for each.
  __device__ void expect([[maybe_unused]] std::uint32_t bytes) {
#if __CUDA_ARCH__ >= 900
    asm volatile(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&word)),
        "r"(bytes)
        : "memory");
#endif
  }

  /// Returns when use number `use`, from 0, has been raised.
  __device__ void wait(unsigned use) {
#if __CUDA_ARCH__ >= 900
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}" ::"r"(shared_address(&word)),
        "r"(use % 2)
        : "memory");
#elif __CUDA_ARCH__ >= 800
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.test_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n"
        "}" ::"r"(shared_address(&word)),
        "r"(use % 2)
        : "memory");
#else
    while (*static_cast<volatile std::uint64_t*>(&word) <= use) {
    }
    __threadfence_block();
    __syncwarp();
#endif
  }
};

__device__ __forceinline__ int cluster_rank() {
#if __CUDA_ARCH__ >= 900
  std::uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return static_cast<int>(rank);
#else
  return 0;
#endif
}

__device__ __forceinline__ int cluster_blocks() {
#if __CUDA_ARCH__ >= 900
  std::uint32_t blocks;
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(blocks));
  return static_cast<int>(blocks);
#else
  return 1;
#endif
}

/// All threads of the cluster: no one passes before all have come.
__device__ __forceinline__ void synchronize_cluster() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release;" ::: "memory");
  asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
#else
  __syncthreads();
#endif
}

/// By all threads, after some have prepared the block's signals.
__device__ __forceinline__ void publish_signals() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
  synchronize_cluster();
}

/// Sixteen bytes to `to`, as it lies in block `rank` of a cluster of several, and their number to
/// `signal` there, which expects them. Never called where there are no clusters.
__device__ __forceinline__ void send([[maybe_unused]] float4* to, [[maybe_unused]] Signal& signal,
                                     [[maybe_unused]] int rank,
                                     [[maybe_unused]] const float4& value) {
#if __CUDA_ARCH__ >= 900
  std::uint32_t remote_to;
  std::uint32_t remote_signal;
  asm("mapa.shared::cluster.u32 %0, %1, %2;"
      : "=r"(remote_to)
      : "r"(shared_address(to)), "r"(rank));
  asm("mapa.shared::cluster.u32 %0, %1, %2;"
      : "=r"(remote_signal)
      : "r"(shared_address(&signal)), "r"(rank));
  asm volatile(
      "st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%0], {%1, %2, %3, %4}, "
      "[%5];" ::"r"(remote_to),
      "f"(value.x), "f"(value.y), "f"(value.z), "f"(value.w), "r"(remote_signal)
      : "memory");
#endif
}

}  // namespace ssmgen::kernels::cuda
