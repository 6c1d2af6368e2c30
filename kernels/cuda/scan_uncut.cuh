#pragma once
// The selective scan of sequences of bf16 that are short enough not to be cut: every chain is
// walked from its first step to its last, so that each exponential is taken once and nothing is run
// twice. For 16 states and whole groups of 32 channels. Two kernels with the same bits:
//   scan_uncut_by_warp.cuh   a warp walks 32 or 16 channels, a lane 16 or 8 states;
//   scan_uncut_by_block.cuh  for few chains: a block walks 16 channels, a lane 2 states.
// The bits: h = fma(decay, h, (delta x) B). C h is a tree: of the states 2 i and 2 i + 1
// fma(C[2 i + 1], h[2 i + 1], C[2 i] h[2 i]), then sums of two and two.

#include <algorithm>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/scan_slices.cuh"

namespace ssmgen::kernels::cuda {

// Where a lane's outputs of an uncut chain go, from one step on.
struct UncutOutputs : OutputPlace<bfloat16> {
  int left;  // steps, this one too

  __device__ UncutOutputs(const Job<bfloat16>& job, const Steps& steps, int channel, int step)
      : OutputPlace(job, steps, channel, step), left(job.length - step) {}
  __device__ bool exists(const Job<bfloat16>& /*job*/) const { return left > 0; }
  __device__ void skip(int steps) {
    left -= steps;
    OutputPlace::skip(steps);
  }
};

// What their channels must be a multiple of.
inline constexpr int uncut_channels = 32;

// Lanes side by side that have each a part of the sums of as many steps: each gets the whole of
// one, that of its number. Of two steps a lane gives its neighbour the one and takes the other's
// part.
template <int sharers>
__device__ __forceinline__ float join_sums(float (&part)[sharers], int own) {
#pragma unroll
  for (int width = 1; width < sharers; width *= 2) {
    const bool is_second = (own & width) != 0;
#pragma unroll
    for (int i = 0; i < sharers / 2 / width; ++i) {
      const float keep = is_second ? part[2 * i + 1] : part[2 * i];
      const float give = is_second ? part[2 * i] : part[2 * i + 1];
      part[i] = keep + __shfl_xor_sync(0xffffffffu, give, width);
    }
  }
  return part[0];
}

// Chains of so many channels in place of chain_channels.
inline void cut_channels(Job<bfloat16>& job, int channels) {
  job.channel_groups = job.channels / channels;
  job.chains = static_cast<int>(job.args.batch) * job.channel_groups;
}

// Shared memory to ask for: so much that no two blocks share a multiprocessor where there is one
// for each and for as many of the sweep the other way, which may run at the same time.
inline std::size_t spread_bytes(std::size_t needed, int blocks, int multiprocessors) {
  if (2 * blocks > multiprocessors) return needed;
  const int all = current_attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor);
  const int most = current_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  return std::max(needed, static_cast<std::size_t>(std::min(all / 2, most)));
}

}  // namespace ssmgen::kernels::cuda
