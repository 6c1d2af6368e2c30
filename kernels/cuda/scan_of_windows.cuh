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
  static constexpr int channels = 2;    // of a lane
  static constexpr int turn_steps = 8;  // whose outputs are made at once
  static constexpr int tiles = 2;       // of 8 states
  using Sums = float[channels][2];      // the lane's outputs of a turn: steps 2 q and 2 q + 1
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
      get_pair(rows.delta[t], delta);
      get_pair(rows.x[t], delta_x);
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
        y[i][k % 2] = q_ == k / 2 ? product[2 * i + k % 2] : y[i][k % 2];
      }
    }
  }

  // Skip, the other direction, gate: the outputs of a turn. What is added was rounded when it was
  // stored and so is y: which came first changes nothing.
  __device__ __forceinline__ void write(const Job<bfloat16>& job, const float (&skip)[channels],
                                        const SliceRows<bfloat16>& rows, int first, const Sums& y,
                                        OutputSteps<bfloat16>& outputs) const {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      const int t = first + output_step() + e;
      float out[channels];
      float x[channels];
      get_pair(rows.x[t], x);
#pragma unroll
      for (int i = 0; i < channels; ++i) out[i] = fmaf(skip[i], x[i], y[i][e]);
      if (job.args.accumulate) {
        float before[channels];
        get_pair(rows.before[t], before);
        widen_pair(bf16_pair(out[0], out[1]), out);
#pragma unroll
        for (int i = 0; i < channels; ++i) out[i] += before[i];
      }
      if (job.args.gate != nullptr) {
        float gate[channels];
        get_pair(rows.gate[t], gate);
#pragma unroll
        for (int i = 0; i < channels; ++i) out[i] *= silu(gate[i]);
      }
      if (outputs.t < job.length) {
        *reinterpret_cast<std::uint32_t*>(outputs.to) = bf16_pair(out[0], out[1]);
      }
      outputs.skip(e == 0 ? 1 : turn_steps - 1);
    }
  }

 private:
  static __device__ __forceinline__ void widen_pair(std::uint32_t pair, float (&to)[channels]) {
    to[0] = __uint_as_float(pair << 16);
    to[1] = __uint_as_float(pair & 0xffff0000u);
  }
  // The lane's channels of a row.
  __device__ __forceinline__ void get_pair(const bfloat16 (&row)[chain_channels],
                                           float (&to)[channels]) const {
    widen_pair(*reinterpret_cast<const std::uint32_t*>(&row[2 * row_]), to);
  }
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
    feed.template start<1>(job, now, lane);
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
      if (is_last && following.exists(job)) feed.template start<1>(job, following, lane);
      if (!is_last || following.exists(job)) feed.stage(job, lane, slice_memory(1 - turn));
      const SliceRows<bfloat16>& rows = slice_memory(turn).rows();
      const SliceStates& states = *slice_memory(turn).states();
#pragma unroll 1
      for (int first = 0; first < slice_positions; first += TileLane::turn_steps) {
        TileLane::Sums y = {};
        own.run(rows, states, first, rate, h, y);
        own.write(job, skip, rows, first, y, outputs);
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
