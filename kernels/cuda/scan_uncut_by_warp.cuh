#pragma once
// Uncut chains, a warp each. A lane has two channels and of each 8 states or 4, so a warp has 32
// channels or 16; the 2 or 4 lanes that share a pair of channels get the outputs of one step each.
// Eight states cost fewer instructions and are for so many chains that a scheduler has several
// warps ("crowded"). With four states it has two where one would wait for itself, and 16 steps are
// one piece of code. No tensor cores, which hold the card at a lower clock.

#include <algorithm>

#include "kernels/cuda/scan_uncut.cuh"

namespace ssmgen::kernels::cuda {

template <int states>
struct UncutByWarp {
  static constexpr int lane_channels = pair_channels;
  static constexpr int sharers = group_states / states;  // of a pair of channels
  static constexpr int channels = lane_channels * 32 / sharers;
  static constexpr int piece_steps = sharers;  // whose outputs leave together
  static constexpr bool is_crowded = states == 8;
  static constexpr int warps = is_crowded ? 4 : 8;   // of a block
  static constexpr int blocks = is_crowded ? 4 : 2;  // that a multiprocessor has registers for
  static constexpr int slice_steps = slice_positions;
  static constexpr int steps_at_once = is_crowded ? 2 : 16;  // one piece of code
  static constexpr int slots = 2;  // slices in shared memory: at hand, and on their way
  using Memory = SliceMemory<bfloat16, slice_steps, channels>;
  using Feed = SliceFeed<bfloat16, 32, slice_steps, channels>;
  using LaneStates = float[lane_channels][states];
  static constexpr std::size_t bytes = slots * warps * Memory::bytes(1);

  // C h of a lane's states.
  __device__ static __forceinline__ float sum(const float (&c)[states], const float (&h)[states]) {
    float sums[states / 2];
#pragma unroll
    for (int i = 0; i < states / 2; ++i) {
      sums[i] = fmaf(c[2 * i + 1], h[2 * i + 1], c[2 * i] * h[2 * i]);
    }
#pragma unroll
    for (int count = states / 4; count > 0; count /= 2) {
#pragma unroll
      for (int i = 0; i < count; ++i) sums[i] = sums[2 * i] + sums[2 * i + 1];
    }
    return sums[0];
  }

  // One step from h on, with the lane's part of its outputs.
  __device__ static __forceinline__ void run(const Memory& slice, int t, int pair, int first_state,
                                             const LaneStates& rate, LaneStates& h,
                                             float (&y)[lane_channels]) {
    float delta[lane_channels];
    float x[lane_channels];
    float b[states];
    float c[states];
    get_pair(&slice.rows().delta[t][pair], delta);
    get_pair(&slice.rows().x[t][pair], x);
#pragma unroll
    for (int n = 0; n < states; n += 4) {
      get(&slice.states()->b[t][first_state + n], reinterpret_cast<float(&)[4]>(b[n]));
      get(&slice.states()->c[t][first_state + n], reinterpret_cast<float(&)[4]>(c[n]));
    }
#pragma unroll
    for (int i = 0; i < lane_channels; ++i) {
      const float delta_x = delta[i] * x[i];
#pragma unroll
      for (int n = 0; n < states; ++n) {
        h[i][n] = fmaf(exp2_fast(delta[i] * rate[i][n]), h[i][n], delta_x * b[n]);
      }
      y[i] = sum(c, h[i]);
    }
  }
};

template <int states, class PartsOf>
__global__ void __launch_bounds__(UncutByWarp<states>::warps * 32, UncutByWarp<states>::blocks)
    scan_uncut_by_warp(const __grid_constant__ Job<bfloat16> job) {
  using Own = UncutByWarp<states>;
  extern __shared__ __align__(16) char memory[];
  constexpr Parts parts = PartsOf::parts;
  const SelectiveScanArgs<bfloat16>& args = job.args;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int sharer = lane % Own::sharers;
  const int pair = lane / Own::sharers * pair_channels;
  const int first_state = sharer * states;
  const auto slot = [&](int index) {
    return typename Own::Memory{memory + (index * Own::warps + warp) * Own::Memory::bytes(1)};
  };
  typename Own::Memory now = slot(0);    // the slice at hand ...
  typename Own::Memory ahead = slot(1);  // ... and the one on its way

  // What is staged is a slice ahead of what is walked; from chain to chain where a warp has
  // several.
  const int first_chain = static_cast<int>(blockIdx.x) * Own::warps + warp;
  int fed_chain = first_chain;
  int fed_slices = 0;  // of the chain
  typename Own::Feed feed;
  const auto stage_chain = [&](const typename Own::Memory& to) {
    if (fed_chain >= job.chains) return;
    feed.start(job, Chain(job, fed_chain, Own::channels).steps(job), Own::slice_steps, lane);
    feed.stage(job, parts, lane, to);
    fed_slices = 1;
  };
  const auto stage_next = [&](const typename Own::Memory& to) {
    if (fed_slices < job.tiles) {
      feed.advance();
      feed.stage(job, parts, lane, to);
      ++fed_slices;
    } else if constexpr (Own::is_crowded) {
      fed_chain += job.workers;
      stage_chain(to);
    }
  };
  stage_chain(now);

  for (int index = first_chain; index < job.chains; index += job.workers) {
    const Chain chain(job, index, Own::channels);
    typename Own::LaneStates rate;
    typename Own::LaneStates h;
    float skip[pair_channels];
    load_skips<true>(args, chain.channel + pair, skip);
#pragma unroll
    for (int i = 0; i < pair_channels; ++i) {
      load_rates<true>(args, chain.channel + pair + i, first_state, rate[i]);
      initial_state(args, chain.batch, chain.channel + pair + i, first_state, h[i]);
    }
    UncutOutputs outputs(job, chain.steps(job), pair, sharer);
    for (int slice = 0; slice < job.tiles; ++slice) {
      wait_for_copies();
      __syncwarp();
      stage_next(ahead);
#pragma unroll Own::steps_at_once / Own::piece_steps
      for (int first = 0; first < Own::slice_steps; first += Own::piece_steps) {
        float y[pair_channels][Own::piece_steps];
#pragma unroll
        for (int k = 0; k < Own::piece_steps; ++k) {
          float step[pair_channels];
          Own::run(now, first + k, pair, first_state, rate, h, step);
#pragma unroll
          for (int i = 0; i < pair_channels; ++i) y[i][k] = step[i];
        }
        float out[1][pair_channels];
#pragma unroll
        for (int i = 0; i < pair_channels; ++i) out[0][i] = join_sums(y[i], sharer);
        write_outputs<true, 1>(job, parts, chain.channel, pair, skip, now.rows(), first + sharer,
                               out, outputs);
        outputs.skip(Own::piece_steps);
      }
      __syncwarp();
      const typename Own::Memory walked = now;
      now = ahead;
      ahead = walked;
    }
#pragma unroll
    for (int i = 0; i < pair_channels; ++i) {
      final_state(args, chain.batch, chain.channel + pair + i, first_state, h[i]);
    }
  }
}

template <int states, class PartsOf>
void launch_uncut_warps(cudaStream_t stream, Job<bfloat16>& job, int multiprocessors) {
  using Own = UncutByWarp<states>;
  const auto kernel = scan_uncut_by_warp<states, PartsOf>;
  cut_channels(job, Own::channels);
  job.tiles = (job.length + Own::slice_steps - 1) / Own::slice_steps;
  const int wanted = (job.chains + Own::warps - 1) / Own::warps;
  const std::size_t bytes = spread_bytes(Own::bytes, wanted, multiprocessors);
  allow_shared_memory(kernel, bytes, "selective_scan");
  const int blocks = std::min(wanted, Own::blocks * multiprocessors);
  job.workers = blocks * Own::warps;
  kernel<<<static_cast<unsigned>(blocks), Own::warps * 32, bytes, stream>>>(job);
  check_launch("selective_scan");
}

}  // namespace ssmgen::kernels::cuda
