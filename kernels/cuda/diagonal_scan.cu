// The diagonal scan (contract: kernels/diagonal_scan.hpp), tiles of 1,024 positions side by side.
//   local pass   each tile from zero states: what the tile adds to the states
//   chain        a thread a state: before[tile + 1] = a^1024 * before[tile] + added[tile]
//   output pass  each tile from its states, which gives y
// All arithmetic of a tile is the same wherever the tile stands, so results do not depend on chunks
// or batch. A call of one tile that hands no state on needs the output pass alone.
//
// A block is a tile of as many channels as 256 threads have; a channel's states are spread over
// `lanes` neighbouring threads, each with 4 states (8 or 16 when there are more than 128) and their
// coefficients in registers. Inputs go through shared memory 64 positions at a time, the next 64
// read ahead into registers. A group's four outputs are summed over the lanes by exchanging halves:
// after two steps each lane has one output's sum left to finish.
// Work: 20 multiply-adds a state and group in the output pass, 12 in the local one; floor: 16 of
// them, for a state takes its inputs and gives its outputs with two each.
// Traffic: in twice, out once (twice to accumulate), states twice a tile.
#include <algorithm>
#include <string>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/diagonal_scan.hpp"
#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int group = static_cast<int>(diagonal_scan_group);
constexpr int block_threads = 256;
constexpr int stage_positions = 64;
constexpr int least_lanes = 4;
constexpr int most_lanes = 32;
// Of a block with the fewest lanes a channel; a power of two, as the lanes are.
constexpr int most_block_channels = block_threads / least_lanes;
constexpr int most_values = stage_positions * most_block_channels / block_threads;

/// What every tile needs to find its place.
struct Layout {
  int lanes;           // threads a channel
  int channels;        // of a block
  std::int64_t tiles;  // of a sequence
  float* tile_states;  // (batch, tiles, states, 2, channels)
};

/// A lane's share of a channel's states.
template <int states>
struct LaneStates {
  float out_re[states][group];
  float out_im[states][group];
  float in_re[states][group - 1];
  float in_im[states][group - 1];
  float growth_re[states];
  float growth_im[states];
  float re[states];
  float im[states];
};

template <int states, bool gives_output, class T>
__device__ __forceinline__ void load_states(const DiagonalScanArgs<T>& args, const float* start,
                                            std::int64_t channel, int lane,
                                            LaneStates<states>& own) {
#pragma unroll
  for (int s = 0; s < states; ++s) {
    const std::int64_t n = static_cast<std::int64_t>(lane) * states + s;
    const bool exists = n < args.states && channel < args.channels;
    const auto row = [&](int i) {
      return exists ? args.coefficients[(n * diagonal_scan_rows + i) * args.channels + channel]
                    : 0.0f;
    };
#pragma unroll
    for (int i = 0; i < group; ++i) {
      if constexpr (gives_output) {
        own.out_re[s][i] = row(out_real + i);
        own.out_im[s][i] = row(out_imaginary + i);
      }
    }
#pragma unroll
    for (int i = 0; i + 1 < group; ++i) {
      own.in_re[s][i] = row(in_real + i);
      own.in_im[s][i] = row(in_imaginary + i);
    }
    own.growth_re[s] = row(growth_real);
    own.growth_im[s] = row(growth_imaginary);
    const bool has_state = exists && start != nullptr;
    own.re[s] = has_state ? start[(2 * n) * args.channels + channel] : 0.0f;
    own.im[s] = has_state ? start[(2 * n + 1) * args.channels + channel] : 0.0f;
  }
}

/// Takes four inputs into the states; adds to y what the states before them give.
template <int states, bool gives_output>
__device__ __forceinline__ void advance(LaneStates<states>& own, const float (&u)[group],
                                        float (&y)[group]) {
#pragma unroll
  for (int s = 0; s < states; ++s) {
    const float re = own.re[s];
    const float im = own.im[s];
    if constexpr (gives_output) {
#pragma unroll
      for (int i = 0; i < group; ++i) {
        y[i] = fmaf(own.out_im[s][i], im, fmaf(own.out_re[s][i], re, y[i]));
      }
    }
    float add_re = fmaf(-own.growth_im[s], im, fmaf(own.growth_re[s], re, u[group - 1]));
    float add_im = fmaf(own.growth_im[s], re, own.growth_re[s] * im);
#pragma unroll
    for (int j = 0; j + 1 < group; ++j) {
      add_re = fmaf(own.in_re[s][j], u[j], add_re);
      add_im = fmaf(own.in_im[s][j], u[j], add_im);
    }
    own.re[s] = re + add_re;
    own.im[s] = im + add_im;
  }
}

/// Sums y over a channel's lanes. Each lane ends with the sum of one output, of index
/// 2 * (upper half of the lanes) + (upper half of that half).
__device__ __forceinline__ float sum_over_lanes(const float (&y)[group], int lane, int lanes) {
  constexpr unsigned all = 0xffffffffu;
  const bool upper = (lane & lanes / 2) != 0;
  float first = upper ? y[2] : y[0];
  float second = upper ? y[3] : y[1];
  first += __shfl_xor_sync(all, upper ? y[0] : y[2], lanes / 2);
  second += __shfl_xor_sync(all, upper ? y[1] : y[3], lanes / 2);
  const bool odd = (lane & lanes / 4) != 0;
  float sum = odd ? second : first;
  sum += __shfl_xor_sync(all, odd ? first : second, lanes / 4);
  for (int offset = lanes / 8; offset > 0; offset /= 2) sum += __shfl_xor_sync(all, sum, offset);
  return sum;
}

/// The part of a tile's inputs that a thread brings, as it is stored.
template <class T>
struct StagedInputs {
  T values[most_values];
};

template <int states, bool gives_output, class T>
__global__ void __launch_bounds__(block_threads, states == 4 ? 2 : 1)
    scan_tiles(const DiagonalScanArgs<T> args, const Layout layout) {
  __shared__ float staged[stage_positions * most_block_channels];
  const int lane = static_cast<int>(threadIdx.x) % layout.lanes;
  const int local = static_cast<int>(threadIdx.x) / layout.lanes;
  const std::int64_t first_channel = static_cast<std::int64_t>(blockIdx.y) * layout.channels;
  const std::int64_t channel = first_channel + local;
  const std::int64_t tile = blockIdx.x % layout.tiles;
  const std::int64_t sequence = blockIdx.x / layout.tiles;
  const bool rightwards = args.direction == Direction::left_to_right;
  float* tile_states =
      layout.tile_states + (sequence * layout.tiles + tile) * 2 * args.states * args.channels;

  LaneStates<states> own;
  load_states<states, gives_output>(args, gives_output ? tile_states : nullptr, channel, lane, own);
  float taps[group];
#pragma unroll
  for (int i = 0; i < group; ++i) {
    // One lane alone adds what the inputs give at once.
    taps[i] = lane == 0 && channel < args.channels ? args.taps[i * args.channels + channel] : 0.0f;
  }
  const T* in = args.in + sequence * args.length * args.channels;
  T* out = args.out + sequence * args.length * args.channels;
  const auto position = [&](int stage, int slot) {
    const int at = stage * stage_positions + slot;
    return tile * tile_length + (rightwards ? at : static_cast<int>(tile_length) - 1 - at);
  };
  const int values = stage_positions * layout.channels / block_threads;
  // Value v of a thread: neighbouring threads take neighbouring channels.
  const auto slot_of = [&](int v) {
    return (v * block_threads + static_cast<int>(threadIdx.x)) / layout.channels;
  };
  const int column = static_cast<int>(threadIdx.x) % layout.channels;
  const bool column_exists = first_channel + column < args.channels;
  const auto load_stage = [&](int stage, StagedInputs<T>& to) {
#pragma unroll
    for (int v = 0; v < most_values; ++v) {
      if (v >= values) break;
      const std::int64_t t = position(stage, slot_of(v));
      to.values[v] = column_exists && t < args.length
                         ? in[t * args.channels + first_channel + column]
                         : from_float<T>(0.0f);
    }
  };

  constexpr int stages = static_cast<int>(tile_length) / stage_positions;
  StagedInputs<T> ahead;
  load_stage(0, ahead);
  for (int stage = 0; stage < stages; ++stage) {
#pragma unroll
    for (int v = 0; v < most_values; ++v) {
      if (v >= values) break;
      staged[slot_of(v) * layout.channels + column] = to_float(ahead.values[v]);
    }
    __syncthreads();
    if (stage + 1 < stages) load_stage(stage + 1, ahead);
    for (int slot = 0; slot < stage_positions; slot += group) {
      // A group beyond the sequence's end must not age the state.
      const std::int64_t nearest = position(stage, rightwards ? slot : slot + group - 1);
      if (nearest >= args.length) continue;
      float u[group];
      float y[group] = {};
#pragma unroll
      for (int i = 0; i < group; ++i) u[i] = staged[(slot + i) * layout.channels + local];
      if constexpr (gives_output) {
#pragma unroll
        for (int i = 0; i < group; ++i) {
#pragma unroll
          for (int j = 0; j <= i; ++j) y[i] = fmaf(taps[i - j], u[j], y[i]);
        }
      }
      advance<states, gives_output>(own, u, y);
      if constexpr (gives_output) {
        // All of a channel's lanes have read this group's inputs: the outputs take their place.
        const float sum = sum_over_lanes(y, lane, layout.lanes);
        __syncwarp();
        const int index = 2 * ((lane & layout.lanes / 2) != 0) + ((lane & layout.lanes / 4) != 0);
        if (lane % (layout.lanes / 4) == 0) staged[(slot + index) * layout.channels + local] = sum;
      }
    }
    __syncthreads();
    if constexpr (gives_output) {
#pragma unroll
      for (int v = 0; v < most_values; ++v) {
        if (v >= values) break;
        const std::int64_t t = position(stage, slot_of(v));
        if (!column_exists || t >= args.length) continue;
        T* to = out + t * args.channels + first_channel + column;
        const float value = staged[slot_of(v) * layout.channels + column];
        *to = from_float<T>(args.accumulate ? to_float(*to) + value : value);
      }
      __syncthreads();
    }
  }
  if constexpr (!gives_output) {
#pragma unroll
    for (int s = 0; s < states; ++s) {
      const std::int64_t n = static_cast<std::int64_t>(lane) * states + s;
      if (n >= args.states || channel >= args.channels) continue;
      tile_states[(2 * n) * args.channels + channel] = own.re[s];
      tile_states[(2 * n + 1) * args.channels + channel] = own.im[s];
    }
  }
}

// The decay over the groups of a tile that the sequence's end cuts.
template <class T>
__device__ void cut_tile_decay(const DiagonalScanArgs<T>& args, std::int64_t n,
                               std::int64_t channel, std::int64_t groups, float& re, float& im) {
  const auto row = [&](int i) {
    const std::int64_t at = (n * diagonal_scan_rows + i) * args.channels + channel;
    return static_cast<double>(args.coefficients[at]);
  };
  const double step_re = 1.0 + row(growth_real);
  const double step_im = row(growth_imaginary);
  double power_re = 1.0;
  double power_im = 0.0;
  for (std::int64_t i = 0; i < groups; ++i) {
    const double next_re = power_re * step_re - power_im * step_im;
    power_im = power_re * step_im + power_im * step_re;
    power_re = next_re;
  }
  re = static_cast<float>(power_re);
  im = static_cast<float>(power_im);
}

/// What each tile adds becomes the state before it, in sweep order.
template <class T>
__global__ void chain_tiles(const DiagonalScanArgs<T> args, const Layout layout, bool has_added) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::int64_t per_sequence = args.states * args.channels;
  if (index >= args.batch * per_sequence) return;
  const std::int64_t sequence = index / per_sequence;
  const std::int64_t n = index % per_sequence / args.channels;
  const std::int64_t channel = index % args.channels;
  const std::int64_t real = (2 * n) * args.channels + channel;
  const std::int64_t imaginary = real + args.channels;
  const float whole_re = args.tile_decay[real];
  const float whole_im = args.tile_decay[imaginary];
  const std::int64_t size = 2 * per_sequence;
  float re = args.state_in != nullptr ? args.state_in[sequence * size + real] : 0.0f;
  float im = args.state_in != nullptr ? args.state_in[sequence * size + imaginary] : 0.0f;
  const bool rightwards = args.direction == Direction::left_to_right;
  for (std::int64_t step = 0; step < layout.tiles; ++step) {
    const std::int64_t tile = rightwards ? step : layout.tiles - 1 - step;
    float* state = layout.tile_states + (sequence * layout.tiles + tile) * size;
    float decay_re = whole_re;
    float decay_im = whole_im;
    if (const std::int64_t left = args.length - tile * tile_length; left < tile_length) {
      cut_tile_decay(args, n, channel, left / group, decay_re, decay_im);
    }
    const float added_re = has_added ? state[real] : 0.0f;
    const float added_im = has_added ? state[imaginary] : 0.0f;
    state[real] = re;
    state[imaginary] = im;
    const float next_re = fmaf(-decay_im, im, fmaf(decay_re, re, added_re));
    im = fmaf(decay_im, re, fmaf(decay_re, im, added_im));
    re = next_re;
  }
  if (args.state_out == nullptr) return;
  args.state_out[sequence * size + real] = re;
  args.state_out[sequence * size + imaginary] = im;
}

template <int states, class T>
void run_lanes(cudaStream_t stream, const DiagonalScanArgs<T>& args) {
  Layout layout{};
  layout.lanes = least_lanes;
  while (static_cast<std::int64_t>(layout.lanes) * states < args.states) layout.lanes *= 2;
  layout.channels = block_threads / layout.lanes;
  layout.tiles = (args.length + tile_length - 1) / tile_length;
  const std::int64_t state_floats = args.batch * layout.tiles * 2 * args.states * args.channels;
  void* memory = nullptr;
  check(cudaMallocAsync(&memory, static_cast<std::size_t>(state_floats) * sizeof(float), stream),
        "states of the diagonal scan's tiles");
  layout.tile_states = static_cast<float*>(memory);

  const dim3 grid(static_cast<unsigned>(args.batch * layout.tiles),
                  static_cast<unsigned>((args.channels + layout.channels - 1) / layout.channels));
  const bool has_added = layout.tiles > 1 || args.state_out != nullptr;
  if (has_added) {
    scan_tiles<states, false, T><<<grid, block_threads, 0, stream>>>(args, layout);
    check_launch("diagonal_scan, local pass");
  }
  const std::int64_t threads = args.batch * args.states * args.channels;
  chain_tiles<T>
      <<<static_cast<unsigned>((threads + 127) / 128), 128, 0, stream>>>(args, layout, has_added);
  check_launch("diagonal_scan, chain");
  scan_tiles<states, true, T><<<grid, block_threads, 0, stream>>>(args, layout);
  check_launch("diagonal_scan, output pass");
  check(cudaFreeAsync(memory, stream), "states of the diagonal scan's tiles");
}

template <class T>
void run(cudaStream_t stream, const DiagonalScanArgs<T>& args) {
  if (args.batch * args.length * args.channels == 0) return;
  if (args.states <= 4 * most_lanes) return run_lanes<4>(stream, args);
  if (args.states <= 8 * most_lanes) return run_lanes<8>(stream, args);
  if (args.states <= 16 * most_lanes) return run_lanes<16>(stream, args);
  throw InvalidArgument("diagonal_scan: at most " + std::to_string(16 * most_lanes) +
                        " complex states a channel, got " + std::to_string(args.states));
}

}  // namespace

void diagonal_scan(cudaStream_t stream, const DiagonalScanArgs<float>& args) {
  run(stream, args);
}
void diagonal_scan(cudaStream_t stream, const DiagonalScanArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
