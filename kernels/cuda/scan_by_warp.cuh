#pragma once
// The selective scan for many chains: a warp walks alone through a chain, slice by slice, running
// each slice from its true start and, beside it, from zero, since the cut into slices and tiles
// decides the bits.

#include <algorithm>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/scan_slices.cuh"

namespace ssmgen::kernels::cuda {

inline constexpr int walking_warps = 4;   // of a block
inline constexpr int walked_at_once = 4;  // positions in one turn of the inner loop

// What a lane copies of a chain's slices, one after the other: of each tensor every sixteen bytes
// whose place among the slice's is the lane's.
template <class T>
class SliceFeed {
 public:
  template <int slices>
  __device__ void start(const Job<T>& job, const Cursor& cursor, int lane) {
    const int begin = cursor.slice_begin<slices>(job, 0);
    way_ = cursor.leftwards ? -1 : 1;
    row_ = begin + cursor.step_offset(lane / row_parts);
    state_row_ = begin + cursor.step_offset(lane / state_vectors);
    dense_ = cursor.dense + lane % row_parts * vector_elements<T>;
    bc_ = cursor.bc + lane % state_vectors * 4;
  }

  /// The slice it stands at; then it stands at the next.
  __device__ void stage(const Job<T>& job, int lane, const SliceMemory<T>& memory) {
    const SelectiveScanArgs<T>& args = job.args;
    SliceRows<T>& rows = memory.rows();
#pragma unroll
    for (int i = 0; i < slice_positions * row_parts / 32; ++i) {
      const int t = row_ + way_ * (i * 32 / row_parts);
      const bool exists = t < job.length;
      const std::int64_t from = dense_ + static_cast<std::int64_t>(t) * job.channels;
      const int step = lane / row_parts + i * 32 / row_parts;
      const int element = lane % row_parts * vector_elements<T>;
      copy_vector(&rows.delta[step][element], args.delta + from, exists);
      copy_vector(&rows.x[step][element], args.x + from, exists);
      if (args.gate != nullptr) copy_vector(&rows.gate[step][element], args.gate + from, exists);
      if (args.accumulate) copy_vector(&rows.before[step][element], args.out + from, exists);
    }
    SliceStates& states = *memory.states();
#pragma unroll
    for (int i = 0; i < slice_positions * state_vectors / 32; ++i) {
      const int t = state_row_ + way_ * (i * 32 / state_vectors);
      const bool exists = t < job.length;
      const std::int64_t from = bc_ + static_cast<std::int64_t>(t) * job.bc_row_stride;
      const int step = lane / state_vectors + i * 32 / state_vectors;
      const int element = lane % state_vectors * 4;
      copy_vector(&states.b[step][element], args.b + from, exists);
      copy_vector(&states.c[step][element], args.c + from, exists);
    }
    row_ += way_ * slice_positions;
    state_row_ += way_ * slice_positions;
  }

 private:
  static constexpr int row_parts = chain_channels / vector_elements<T>;
  static constexpr int state_vectors = group_states / 4;
  int way_;
  int row_;        // of the lane's first vector of x and its like
  int state_row_;  // of B and C
  std::int64_t dense_;
  std::int64_t bc_;
};

// `slices`: of a tile.
template <class T, int slices>
__global__ void __launch_bounds__(walking_warps * 32, 4)
    scan_by_warp(const __grid_constant__ Job<T> job) {
  extern __shared__ __align__(16) char memory[];
  const SelectiveScanArgs<T>& args = job.args;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int half = lane / chain_channels;
  const int own_channel = lane % chain_channels;
  const int first_state = half * lane_states;
  const auto slice_memory = [&](int turn) {
    return SliceMemory<T>{memory + (turn * walking_warps + warp) * SliceMemory<T>::bytes(1)};
  };

  float a[lane_states];
  float skip = 0.0f;
  int known_channel = -1;  // whose they are
  Cursor now = Cursor::at_chain(job, static_cast<int>(blockIdx.x) * walking_warps + warp);
  SliceFeed<T> feed;
  int turn = 0;
  if (now.exists(job)) {
    feed.template start<slices>(job, now, lane);
    feed.stage(job, lane, slice_memory(turn));
  }
  while (now.exists(job)) {
    const int channel = now.channel + own_channel;
    if (channel != known_channel) {
      known_channel = channel;
      skip = args.d != nullptr ? args.d[channel] : 0.0f;
      load_rates<true>(args, channel, first_state, a);
    }
    Cursor following = now;
    following.next_chain(job);
    float tile_start[lane_states];  // the true state there
    initial_state(args, now.batch, channel, first_state, tile_start);
    float state[lane_states];     // from a zero state at the tile's start to the slice's
    float elapsed_before = 0.0f;  // of the tile
    constexpr int lane_positions = walked_at_once / 2;
    OutputSteps<T> outputs = outputs_from<slices>(job, now, 0, own_channel, half * lane_positions);
    const int all_slices = job.tiles * slices;
    for (int slice = 0; slice < all_slices; ++slice, turn = 1 - turn) {
      wait_for_copies();
      __syncwarp();
      const bool is_last = slice + 1 == all_slices;
      if (is_last && following.exists(job)) feed.template start<slices>(job, following, lane);
      if (!is_last || following.exists(job)) feed.stage(job, lane, slice_memory(1 - turn));

      const bool begins_tile = slice % slices == 0;
      float h[lane_states];
      float local[lane_states];  // the slice from a zero state
#pragma unroll
      for (int n = 0; n < lane_states; ++n) {
        if (begins_tile) state[n] = 0.0f;
        const float decay = exp2_fast(elapsed_before * a[n]);
        h[n] = begins_tile ? tile_start[n] : fmaf(decay, tile_start[n], state[n]);
        local[n] = 0.0f;
      }
      const SliceRows<T>& rows = slice_memory(turn).rows();
      const SliceStates& states = *slice_memory(turn).states();
      float elapsed = 0.0f;
#pragma unroll 1
      for (int begin = 0; begin < slice_positions; begin += walked_at_once) {
        float y[walked_at_once];
#pragma unroll
        for (int i = 0; i < walked_at_once; ++i) {
          const int t = begin + i;
          const float delta = to_float(rows.delta[t][own_channel]);
          const float delta_x = delta * to_float(rows.x[t][own_channel]);
          elapsed += delta;
          y[i] = 0.0f;
#pragma unroll
          for (int part = 0; part < state_parts; ++part) {
            float b[4];
            float c[4];
            get(&states.b[t][first_state + 4 * part], b);
            get(&states.c[t][first_state + 4 * part], c);
#pragma unroll
            for (int j = 0; j < 4; ++j) {
              const int n = 4 * part + j;
              const float decay = exp2_fast(delta * a[n]);
              const float input = delta_x * b[j];
              local[n] = fmaf(decay, local[n], input);
              h[n] = fmaf(decay, h[n], input);
              y[i] = fmaf(c[j], h[n], y[i]);
            }
          }
        }
        float out[lane_positions];
        join_halves(y, half, out);
        write_outputs(job, true, own_channel, skip, rows, begin + half * lane_positions, out,
                      outputs);
        outputs.skip(lane_positions);
      }
#pragma unroll
      for (int n = 0; n < lane_states; ++n) {
        state[n] = fmaf(exp2_fast(elapsed * a[n]), state[n], local[n]);
      }
      elapsed_before = begins_tile ? elapsed : elapsed + elapsed_before;
      if ((slice + 1) % slices == 0) {
#pragma unroll
        for (int n = 0; n < lane_states; ++n) {
          tile_start[n] = fmaf(exp2_fast(elapsed_before * a[n]), tile_start[n], state[n]);
        }
      }
      __syncwarp();
    }
    final_state(args, now.batch, channel, first_state, tile_start);
    now = following;
  }
}

/// Only for rows of whole vectors and 16 states.
template <class T, int slices>
void launch_warps(cudaStream_t stream, Job<T>& job, int multiprocessors) {
  const auto kernel = scan_by_warp<T, slices>;
  const std::size_t bytes = 2 * walking_warps * SliceMemory<T>::bytes(1);
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "selective_scan: shared memory");
  int at_once = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&at_once, kernel, walking_warps * 32, bytes),
        "selective_scan: occupancy");
  job.tiles = (job.length + slices * slice_positions - 1) / (slices * slice_positions);
  const int wanted = (job.chains + walking_warps - 1) / walking_warps;
  const int blocks = std::min(wanted, at_once * multiprocessors);
  job.share(blocks * walking_warps);
  kernel<<<static_cast<unsigned>(blocks), walking_warps * 32, bytes, stream>>>(job);
  check_launch("selective_scan");
}

}  // namespace ssmgen::kernels::cuda
