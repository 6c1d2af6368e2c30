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

// `slices`: of a tile.
template <class T, int slices>
__global__ void __launch_bounds__(walking_warps * 32)
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
  int slice = 0;
  if (now.exists(job)) stage<true, slices>(job, now, slice, lane, slice_memory(0));
  float tile_start[lane_states];  // the true state there
  float state[lane_states];       // from a zero state at the tile's start to the slice's
  float decay_so_far[lane_states];
  for (int turn = 0; now.exists(job); turn = 1 - turn) {
    const int channel = now.channel + own_channel;
    if (slice == 0 && now.tile == 0) {
      if (channel != known_channel) {
        known_channel = channel;
        skip = args.d != nullptr ? args.d[channel] : 0.0f;
        load_rates<true>(args, channel, first_state, a);
      }
      initial_state(args, now.batch, channel, first_state, tile_start);
    }
    wait_for_copies();
    __syncwarp();
    Cursor next = now;
    int next_slice = slice + 1;
    if (next_slice == slices) {
      next_slice = 0;
      next.advance(job, 1);
    }
    if (next.exists(job)) stage<true, slices>(job, next, next_slice, lane, slice_memory(1 - turn));

    float h[lane_states];
#pragma unroll
    for (int n = 0; n < lane_states; ++n) {
      if (slice == 0) {
        state[n] = 0.0f;
        decay_so_far[n] = 1.0f;
      }
      h[n] = slice == 0 ? tile_start[n] : fmaf(decay_so_far[n], tile_start[n], state[n]);
    }
    const SliceRows<T>& rows = slice_memory(turn).rows();
    const SliceStates& states = *slice_memory(turn).states();
    float local[lane_states];  // the slice from a zero state
#pragma unroll
    for (int n = 0; n < lane_states; ++n) local[n] = 0.0f;
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
      constexpr int lane_positions = walked_at_once / 2;
      float out[lane_positions];
      join_halves(y, half, out);
      write_outputs<true, slices>(job, now, slice, own_channel, skip, rows,
                                  begin + half * lane_positions, out);
    }
#pragma unroll
    for (int n = 0; n < lane_states; ++n) {
      const float slice_decay = exp2_fast(elapsed * a[n]);
      state[n] = fmaf(slice_decay, state[n], local[n]);
      decay_so_far[n] = slice_decay * decay_so_far[n];
    }
    if (slice == slices - 1) {
#pragma unroll
      for (int n = 0; n < lane_states; ++n) {
        tile_start[n] = fmaf(decay_so_far[n], tile_start[n], state[n]);
      }
      if (now.tile == job.tiles - 1) {
        final_state(args, now.batch, channel, first_state, tile_start);
      }
    }
    __syncwarp();
    now = next;
    slice = next_slice;
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
