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

  const int pair = own_channel - own_channel % 2;
  SliceFeed<T> feed;
  int turn = 0;
  const auto start_chain = [&](int index, int to) {
    feed.start(job, Chain(job, index).slice_steps<slices>(job, 0, 0), slice_positions, lane);
    feed.stage(job, Parts::of(job), lane, slice_memory(to));
  };
  const int first_chain = static_cast<int>(blockIdx.x) * walking_warps + warp;
  if (first_chain < job.chains) start_chain(first_chain, turn);
  for (int index = first_chain; index < job.chains; index += job.workers) {
    const Chain chain(job, index);
    const int channel = chain.channel + own_channel;
    float a[lane_states];
    float skip[pair_channels];
    load_skips<true>(args, chain.channel + pair, skip);
    load_rates<true>(args, channel, first_state, a);
    float tile_start[lane_states];  // the true state there
    initial_state(args, chain.batch, channel, first_state, tile_start);
    float state[lane_states];     // from a zero state at the tile's start to the slice's
    float elapsed_before = 0.0f;  // of the tile
    const int lane_step = output_step(half, own_channel);
    OutputSteps<T> outputs(job, chain.slice_steps<slices>(job, 0, 0), pair, lane_step);
    const int all_slices = job.tiles * slices;
    for (int slice = 0; slice < all_slices; ++slice, turn = 1 - turn) {
      wait_for_copies();
      __syncwarp();
      if (slice + 1 < all_slices) {
        feed.advance();
        feed.stage(job, Parts::of(job), lane, slice_memory(1 - turn));
      } else if (index + job.workers < job.chains) {
        start_chain(index + job.workers, 1 - turn);
      }

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
        float out[1][pair_channels];
        join_lanes(y, half, own_channel, out);
        write_outputs<true, 1>(job, Parts::of(job), chain.channel, pair, skip, rows,
                               begin + lane_step, out, outputs);
        outputs.skip(walked_at_once);
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
    final_state(args, chain.batch, channel, first_state, tile_start);
  }
}

/// Only for rows of whole vectors and 16 states.
template <class T, int slices>
void launch_warps(cudaStream_t stream, Job<T>& job, int multiprocessors) {
  const auto kernel = scan_by_warp<T, slices>;
  const std::size_t bytes = 2 * walking_warps * SliceMemory<T>::bytes(1);
  allow_shared_memory(kernel, bytes, "selective_scan");
  int at_once = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&at_once, kernel, walking_warps * 32, bytes),
        "selective_scan: occupancy");
  job.tiles = (job.length + slices * slice_positions - 1) / (slices * slice_positions);
  const int wanted = (job.chains + walking_warps - 1) / walking_warps;
  const int blocks = std::min(wanted, at_once * multiprocessors);
  job.workers = blocks * walking_warps;
  kernel<<<static_cast<unsigned>(blocks), walking_warps * 32, bytes, stream>>>(job);
  check_launch("selective_scan");
}

}  // namespace ssmgen::kernels::cuda
