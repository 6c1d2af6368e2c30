#pragma once
// The selective scan of windows, short sequences of bf16, from sm_80 on: a warp walks alone through
// a chain, and the outputs C h are products of tiles on tensor cores, so that a state and step cost
// four instructions beside its exponential. For 16 states and whole groups of 16 channels.
//
// A lane is (row, q) = (lane / 4, lane % 4). It has channels 2 row and 2 row + 1 and of each the
// states 4 q to 4 q + 3, two of each tile of 8, in registers that are the left operand of
//   (channels x states: 16 x 8) . (C of eight steps: 8 x 8)
// as they are; of the product only the column of the step at hand counts. A tensor core reads 11
// bits: C is rounded to them, the state cut. What is carried on is f32.

#include <algorithm>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/scan_by_warp.cuh"
#include "kernels/cuda/tensor_tiles.cuh"

namespace ssmgen::kernels::cuda {

// The longest sequence that is a window.
inline constexpr std::int64_t window_positions = 4096;

inline constexpr int window_warps = 4;   // of a block
inline constexpr int window_blocks = 5;  // of a multiprocessor

// How a chain's channels and states lie over a warp.
class TileLane {
 public:
  static constexpr int channels = pair_channels;  // of a lane
  static constexpr int turn_steps = 8;            // whose outputs are made at once
  static constexpr int tiles = 2;                 // of 8 states
  using Sums = float[2][channels];  // the lane's outputs of a turn: steps 2 q and 2 q + 1
  using States = float[lane_states];

  __device__ explicit TileLane(int lane) : row_(lane / 4), q_(lane % 4) {}

  // Of the lane's value i.
  __device__ int channel(int i) const { return 2 * row_ + i % channels; }
  __device__ int state(int i) const { return 4 * q_ + i / channels; }
  // The first of the turn's steps whose outputs the lane has.
  __device__ int output_step() const { return 2 * q_; }

  // Eight steps from h on, with their outputs.
  __device__ __forceinline__ void run(const SliceRows<bfloat16>& rows, const SliceStates& states,
                                      int first, const States& rate, States& h, Sums& y) const {
    std::uint32_t c[tiles][2];
    get_outputs(states, first, c);
#pragma unroll
    for (int k = 0; k < turn_steps; ++k) {
      const int t = first + k;
      float delta[channels];
      float delta_x[channels];
      float b[4];
      get_pair(&rows.delta[t][channel(0)], delta);
      get_pair(&rows.x[t][channel(0)], delta_x);
      get(&states.b[t][state(0)], b);
#pragma unroll
      for (int i = 0; i < channels; ++i) delta_x[i] *= delta[i];
      float product[4] = {};
#pragma unroll
      for (int tile = 0; tile < tiles; ++tile) {
#pragma unroll
        for (int i = 4 * tile; i < 4 * tile + 4; ++i) {
          const int own = i % channels;
          h[i] = fmaf(exp2_fast(delta[own] * rate[i]), h[i], delta_x[own] * b[i / channels]);
        }
        const std::uint32_t left[4] = {
            __float_as_uint(h[4 * tile]), __float_as_uint(h[4 * tile + 1]),
            __float_as_uint(h[4 * tile + 2]), __float_as_uint(h[4 * tile + 3])};
        multiply_tile(left, c[tile], product);
      }
      // Columns 2 q and 2 q + 1 of both channels are this lane's.
#pragma unroll
      for (int i = 0; i < channels; ++i) {
        y[k % 2][i] = q_ == k / 2 ? product[2 * i + k % 2] : y[k % 2][i];
      }
    }
  }

  // The outputs of a turn.
  __device__ __forceinline__ void write(const Job<bfloat16>& job, const Cursor& cursor,
                                        const float (&skip)[channels],
                                        const SliceRows<bfloat16>& rows, int first, Sums& y,
                                        OutputSteps<bfloat16>& outputs) const {
    write_outputs<true, 1>(job, cursor, channel(0), skip, rows, first + output_step(), y, outputs);
    outputs.skip(turn_steps);
  }

 private:
  // C of eight steps as the right operand: column n is step n.
  __device__ __forceinline__ void get_outputs(const SliceStates& states, int first,
                                              std::uint32_t (&c)[tiles][2]) const {
    float values[4];
    get(&states.c[first + row_][state(0)], values);
#pragma unroll
    for (int i = 0; i < 4; ++i) c[i / 2][i % 2] = round_to_tf32(values[i]);
  }

  int row_;
  int q_;
};

__global__ void __launch_bounds__(window_warps * 32, window_blocks)
    scan_of_windows(const __grid_constant__ Job<bfloat16> job) {
  extern __shared__ __align__(16) char memory[];
  const SelectiveScanArgs<bfloat16>& args = job.args;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const TileLane own(lane);
  const auto slice_memory = [&](int turn) {
    return SliceMemory<bfloat16>{memory +
                                 (turn * window_warps + warp) * SliceMemory<bfloat16>::bytes(1)};
  };

  TileLane::States rate{};  // A for powers of two
  float skip[TileLane::channels]{};
  int known_channel = -1;  // whose they are
  Cursor now = Cursor::at_chain(job, static_cast<int>(blockIdx.x) * window_warps + warp);
  SliceFeed<bfloat16> feed;
  int turn = 0;
  if (now.exists(job)) {
    feed.template start<1>(job, now, 0, slice_positions, lane);
    feed.stage(job, lane, slice_memory(turn));
  }
  while (now.exists(job)) {
    // Where the lane's value i lies among the states of a sequence.
    const auto place = [&](int i) {
      return static_cast<std::int64_t>(now.channel + own.channel(i)) * group_states + own.state(i);
    };
    const std::int64_t sequence = now.batch * args.channels * group_states;
    TileLane::States h;
#pragma unroll
    for (int i = 0; i < lane_states; ++i) {
      if (now.channel != known_channel) {
        rate[i] = args.a[place(i)] * log2_e;
        if (args.d != nullptr) skip[i % TileLane::channels] = args.d[now.channel + own.channel(i)];
      }
      h[i] = args.state_in != nullptr ? args.state_in[sequence + place(i)] : 0.0f;
    }
    known_channel = now.channel;
    Cursor following = now;
    following.next_chain(job);
    OutputSteps<bfloat16> outputs = outputs_from<1>(job, now, 0, own.channel(0), own.output_step());
    for (int slice = 0; slice < job.tiles; ++slice, turn = 1 - turn) {
      wait_for_copies();
      __syncwarp();
      const bool is_last = slice + 1 == job.tiles;
      if (!is_last) {
        feed.advance(job);
      } else if (following.exists(job)) {
        feed.template start<1>(job, following, 0, slice_positions, lane);
      }
      if (!is_last || following.exists(job)) feed.stage(job, lane, slice_memory(1 - turn));
      const SliceRows<bfloat16>& rows = slice_memory(turn).rows();
      const SliceStates& states = *slice_memory(turn).states();
#pragma unroll 1
      for (int first = 0; first < slice_positions; first += TileLane::turn_steps) {
        TileLane::Sums y = {};
        own.run(rows, states, first, rate, h, y);
        own.write(job, now, skip, rows, first, y, outputs);
      }
      __syncwarp();
    }
    if (args.state_out != nullptr) {
#pragma unroll
      for (int i = 0; i < lane_states; ++i) args.state_out[sequence + place(i)] = h[i];
    }
    now = following;
  }
}

/// Only for rows of whole vectors and 16 states.
inline void launch_windows(cudaStream_t stream, Job<bfloat16>& job, int multiprocessors) {
  const std::size_t bytes = 2 * window_warps * SliceMemory<bfloat16>::bytes(1);
  check(cudaFuncSetAttribute(scan_of_windows, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "selective_scan: shared memory");
  int at_once = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&at_once, scan_of_windows, window_warps * 32,
                                                      bytes),
        "selective_scan: occupancy");
  job.tiles = (job.length + slice_positions - 1) / slice_positions;
  const int wanted = (job.chains + window_warps - 1) / window_warps;
  const int blocks = std::min(wanted, at_once * multiprocessors);
  job.share(blocks * window_warps);
  scan_of_windows<<<static_cast<unsigned>(blocks), window_warps * 32, bytes, stream>>>(job);
  check_launch("selective_scan");
}

}  // namespace ssmgen::kernels::cuda
