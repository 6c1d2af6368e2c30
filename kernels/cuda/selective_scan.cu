// The selective scan (contract: kernels/selective_scan.hpp) in one pass over any length: every
// exponential is taken once.
//
// Cut: a chain is one sequence and 16 of its channels. A tile is 8 slices of 16 positions (2 on
// cards with little shared memory), counted from position 0. With s_w the end state of slice w run
// from zero and t_w the sum of its deltas, in sweep order within a tile
//   S_w = exp(t_w A) S_{w-1} + s_w,  T_w = t_w + T_{w-1}
//   start of slice w = exp(T_{w-1} A) start of the tile + S_{w-1}
// and the last S and T lead to the next tile's start. These are the bits, whatever the batch, the
// number of multiprocessors and where calls are cut; two kernels compute them:
//   scan_by_cluster.cuh  few chains: slices side by side, tiles over a cluster of blocks;
//   scan_by_warp.cuh     many chains: a warp each, fewer instructions.
// Sequences of bf16 up to uncut_positions are not cut at all: scan_uncut.cuh. That is said by the
// length of the whole sequence alone, so that no bit depends on the batch or on chunks.
// A lane has one channel and 8 of its states; two lanes' sums make an output. Each warp brings its
// next slice's rows to shared memory by asynchronous copies, in sweep order.
// Traffic: x, delta, gate, out of T once (out twice to accumulate); B and C once a chain, from L2.
// The floor is the exponentials: 16 a clock and multiprocessor.
#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>

#include "kernels/cuda/scan_by_cluster.cuh"
#include "kernels/cuda/scan_by_warp.cuh"
#include "kernels/cuda/scan_uncut_by_block.cuh"
#include "kernels/cuda/scan_uncut_by_warp.cuh"
#include "kernels/cuda/selective_scan.hpp"

namespace ssmgen::kernels::cuda {
namespace {

// Chains a multiprocessor from which on a warp each is faster; measured.
constexpr int warps_for_walking = 6;

// Calls `launch` with KnownParts of the job.
template <class T, class Launch>
void with_known_parts(const Job<T>& job, Launch&& launch) {
  const bool is_gated = job.args.gate != nullptr;
  if (job.args.accumulate) {
    is_gated ? launch(KnownParts<true, true>()) : launch(KnownParts<true, false>());
  } else {
    is_gated ? launch(KnownParts<false, true>()) : launch(KnownParts<false, false>());
  }
}

// Of a tile, where blocks have shared memory for so many warps; else few.
constexpr int most_slices = 8;
constexpr int few_slices = 2;

template <class T, bool vectors, int slices>
void launch(cudaStream_t stream, Job<T>& job) {
  if constexpr (vectors) {
    const int multiprocessors = current_attribute(cudaDevAttrMultiProcessorCount);
    if (job.chains >= warps_for_walking * multiprocessors) {
      return launch_warps<T, slices>(stream, job, multiprocessors);
    }
  }
  if constexpr (vectors && slices == most_slices) {
    with_known_parts(job, [&](auto parts) {
      launch_clusters<T, slices, vectors, decltype(parts)>(stream, job);
    });
  } else {
    launch_clusters<T, slices, vectors, Parts>(stream, job);
  }
}

template <class T, bool vectors>
void launch_what_fits(cudaStream_t stream, Job<T>& job) {
  const int most = current_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  const auto fits = [&](std::int64_t turn_bytes) { return 2 * turn_bytes <= most; };
  if (fits(TurnMemory<T, most_slices>::bytes(job.state_groups))) {
    return launch<T, vectors, most_slices>(stream, job);
  }
  if (fits(TurnMemory<T, few_slices>::bytes(job.state_groups))) {
    return launch<T, vectors, few_slices>(stream, job);
  }
  throw DeviceError("CUDA: selective_scan: " + std::to_string(job.args.states) +
                    " states need more shared memory than the " + std::to_string(most) +
                    " bytes of this card's blocks: use --device cpu");
}

// The longest sequence of bf16 that is not cut.
constexpr std::int64_t uncut_positions = 131'072;

bool is_uncut(std::int64_t sequence_length, std::int64_t channels) {
  return sequence_length <= uncut_positions && channels % uncut_channels == 0 &&
         current_attribute(cudaDevAttrComputeCapabilityMajor) >= 8;
}

// A scheduler has 512 states at a time, or less where they would leave others idle.
template <class PartsOf>
void launch_uncut(cudaStream_t stream, Job<bfloat16>& job) {
  const int multiprocessors = current_attribute(cudaDevAttrMultiProcessorCount);
  const std::int64_t chains = job.args.batch * (job.channels / UncutByWarp<8>::channels);
  if (chains <= multiprocessors) {
    launch_uncut_blocks<PartsOf>(stream, job, multiprocessors);
  } else if (chains <= 4 * multiprocessors) {
    launch_uncut_warps<4, PartsOf>(stream, job, multiprocessors);
  } else {
    launch_uncut_warps<8, PartsOf>(stream, job, multiprocessors);
  }
}

template <class T>
bool has_vector_rows(const SelectiveScanArgs<T>& args) {
  const auto is_dense = [&](const T* rows, std::int64_t row_stride, std::int64_t batch_stride) {
    return rows == nullptr ||
           (row_stride == args.channels && batch_stride == args.length * args.channels &&
            is_vector_aligned(rows, row_stride));
  };
  return args.channels % chain_channels == 0 && args.states == group_states &&
         is_dense(args.x, args.x_row_stride, args.x_batch_stride) &&
         is_dense(args.gate, args.gate_row_stride, args.gate_batch_stride) &&
         is_vector_aligned(args.delta, args.channels) &&
         is_vector_aligned(args.out, args.channels) &&
         is_vector_aligned(args.b, args.bc_row_stride) &&
         is_vector_aligned(args.b, args.bc_batch_stride) &&
         is_vector_aligned(args.c, args.bc_row_stride);
}

template <class T>
void run(cudaStream_t stream, const SelectiveScanArgs<T>& args) {
  if (args.batch == 0 || args.length == 0 || args.channels == 0) return;
  Job<T> job;
  job.args = args;
  job.length = static_cast<int>(args.length);
  job.channels = static_cast<int>(args.channels);
  job.bc_row_stride = static_cast<int>(args.bc_row_stride);
  job.channel_groups = static_cast<int>((args.channels + chain_channels - 1) / chain_channels);
  job.state_groups = static_cast<int>((args.states + group_states - 1) / group_states);
  const std::int64_t chains = args.batch * job.channel_groups;
  job.chains = static_cast<int>(chains);
  if (chains > INT32_MAX / 2 || args.length > INT32_MAX / 2) {
    throw InvalidArgument("selective_scan: " + std::to_string(args.batch) + " sequences of " +
                          std::to_string(args.length) + " positions and " +
                          std::to_string(args.channels) +
                          " channels are too many for one call: use a smaller --chunk or --batch");
  }
  if (!has_vector_rows(args)) return launch_what_fits<T, false>(stream, job);
  if constexpr (std::is_same_v<T, bfloat16>) {
    if (is_uncut(std::max(args.sequence_length, args.length), args.channels)) {
      return with_known_parts(job, [&](auto parts) { launch_uncut<decltype(parts)>(stream, job); });
    }
  }
  launch_what_fits<T, true>(stream, job);
}

}  // namespace

bool is_uncut(const SweepShape& shape) {
  // B and C lie behind dt, and their rows must be whole vectors.
  return shape.type == Dtype::bf16 && shape.states == group_states &&
         shape.rank % vector_elements<float> == 0 && is_uncut(shape.length, shape.channels);
}

void selective_scan(cudaStream_t stream, const SelectiveScanArgs<float>& args) {
  run(stream, args);
}
void selective_scan(cudaStream_t stream, const SelectiveScanArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
