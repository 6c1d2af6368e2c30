#pragma once
// Few uncut chains: a block of four warps walks 16 channels, a warp four of them. Lane (row, part)
// = (lane / 8, lane % 8) has channel `row` of the warp's and of it the states 2 part and 2 part +
// 1, so that a step costs it two exponentials. A turn is eight steps: the lane reads delta and x of
// its channel at step `part` for the eight lanes of the row, and of the eight outputs it gets the
// one of that step. Eight turns are one piece of code, so that what one waits for the others hide.

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/scan_uncut.cuh"

namespace ssmgen::kernels::cuda {

struct UncutByBlock {
  static constexpr int warps = 4;
  static constexpr int threads = warps * 32;
  static constexpr int channels = 16;
  static constexpr int states = 2;  // of a lane
  static constexpr int turn_steps = 8;
  static constexpr int slice_steps = 128;
  static constexpr int turns_at_once = 8;
  static constexpr int slots = 2;  // slices in shared memory: at hand, and on their way
  using Memory = SliceMemory<bfloat16, slice_steps, channels>;
  using Feed = SliceFeed<bfloat16, threads, slice_steps, channels>;
  static constexpr std::size_t bytes = slots * Memory::bytes(1);
};

// Eight steps from h on. Returns the output, without the skip, of step `part`; `x` gets its input.
__device__ __forceinline__ float walk_turn(const UncutByBlock::Memory& slice, int first,
                                           int channel, int part,
                                           const float (&rate)[UncutByBlock::states],
                                           float (&h)[UncutByBlock::states], float& x) {
  using Own = UncutByBlock;
  const Own::Memory::Rows& rows = slice.rows();
  const Own::Memory::States& states = *slice.states();
  const std::uint32_t own = rows.delta[first + part][channel].bits |
                            static_cast<std::uint32_t>(rows.x[first + part][channel].bits) << 16;
  x = __uint_as_float(own & 0xffff0000u);
  float y[Own::turn_steps];
#pragma unroll
  for (int t = 0; t < Own::turn_steps; ++t) {
    float both[2];
    widen_pair(__shfl_sync(0xffffffffu, own, t, Own::turn_steps), both);
    const float delta = both[0];
    const float delta_x = both[0] * both[1];
    float b[Own::states];
    float c[Own::states];
    get_pair(&states.b[first + t][Own::states * part], b);
    get_pair(&states.c[first + t][Own::states * part], c);
#pragma unroll
    for (int n = 0; n < Own::states; ++n) {
      h[n] = fmaf(exp2_fast(delta * rate[n]), h[n], delta_x * b[n]);
    }
    y[t] = fmaf(c[1], h[1], c[0] * h[0]);
  }
  return join_sums(y, part);
}

template <class PartsOf>
__global__ void __launch_bounds__(UncutByBlock::threads, 1)
    scan_uncut_by_block(const __grid_constant__ Job<bfloat16> job) {
  using Own = UncutByBlock;
  constexpr Parts parts = PartsOf::parts;
  extern __shared__ __align__(16) char memory[];
  const SelectiveScanArgs<bfloat16>& args = job.args;
  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % 32;
  const int part = lane % Own::turn_steps;
  const int channel = thread / Own::turn_steps;  // of the block's
  const int first_state = part * Own::states;
  const Chain chain(job, static_cast<int>(blockIdx.x), Own::channels);
  const Steps steps = chain.steps(job);
  const int own_channel = chain.channel + channel;  // of all
  const auto slot = [&](int slice) {
    return Own::Memory{memory + slice % Own::slots * Own::Memory::bytes(1)};
  };

  float rate[Own::states];
  float h[Own::states];
  load_rates<true>(args, own_channel, first_state, rate);
  initial_state(args, chain.batch, own_channel, first_state, h);
  const float skip = args.d != nullptr ? args.d[own_channel] : 0.0f;
  UncutOutputs outputs(job, steps, channel, part);

  Own::Feed feed;
  feed.start(job, steps, Own::slice_steps, thread);
  const int slices = (job.length + Own::slice_steps - 1) / Own::slice_steps;
  feed.stage(job, parts, thread, slot(0));

  const auto write = [&](float y, float x, const Own::Memory& slice, int first) {
    const Own::Memory::Rows& rows = slice.rows();
    y = fmaf(skip, x, y);
    if (parts.accumulates) {
      y = to_float(from_float<bfloat16>(y)) + to_float(rows.before[first + part][channel]);
    }
    if (parts.is_gated) y *= silu(to_float(rows.gate[first + part][channel]));
    if (outputs.exists(job)) *outputs.to = from_float<bfloat16>(y);
    outputs.skip(Own::turn_steps);
  };
  for (int slice = 0; slice < slices; ++slice) {
    const Own::Memory now = slot(slice);
    wait_for_copies();
    __syncthreads();
    if (slice + 1 < slices) {
      feed.advance();
      feed.stage(job, parts, thread, slot(slice + 1));
    }
#pragma unroll Own::turns_at_once
    for (int first = 0; first < Own::slice_steps; first += Own::turn_steps) {
      float x;
      const float y = walk_turn(now, first, channel, part, rate, h, x);
      write(y, x, now, first);
    }
  }
  final_state(args, chain.batch, own_channel, first_state, h);
}

template <class PartsOf>
void launch_uncut_blocks(cudaStream_t stream, Job<bfloat16>& job, int multiprocessors) {
  const auto kernel = scan_uncut_by_block<PartsOf>;
  cut_channels(job, UncutByBlock::channels);
  const std::size_t bytes = spread_bytes(UncutByBlock::bytes, job.chains, multiprocessors);
  allow_shared_memory(kernel, bytes, "selective_scan");
  kernel<<<static_cast<unsigned>(job.chains), UncutByBlock::threads, bytes, stream>>>(job);
  check_launch("selective_scan");
}

}  // namespace ssmgen::kernels::cuda
