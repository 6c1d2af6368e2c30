// The selective scan (contract: kernels/selective_scan.hpp) over the whole card, tile by tile.
//
// A sequence is cut into tiles of tile_length positions. Where one tile must hand its state to the
// next, three passes run:
//   1. local:  each tile from a zero state to its local end state, and the sum of its steps dt;
//   2. chain:  in tile order, h <- exp(A * sum dt) * h + local, leaving each tile's start state;
//   3. output: each tile from its start state to its outputs.
// A sequence of one tile without a state to hand on needs the third alone. The chain's arithmetic
// is the same wherever a chunk ends, so chunked equals whole bit for bit.
//
// Mapping: a block of 128 threads has 64 channels, two lanes a channel, half the states each in
// registers. 16 positions at a time are staged in shared memory as (dt, dt*x) and (g, g*D*x), so
// that softplus and SiLU are computed once a position and channel.
// Traffic of the output pass: x, gate, out of T and delta of f32 once; B and C once a block of
// channels. The floor is the exponentials: 16 a clock and multiprocessor.
#include <algorithm>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/selective_scan.hpp"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int block_threads = 128;

constexpr int block_channels = block_threads / 2;
constexpr int staged_rows = 16;
constexpr int row_unroll = 4;
constexpr int blocks_at_once = 5;  // on a multiprocessor, within 96 registers

// Where the passes meet; device memory of one call.
struct TileStates {
  float* state = nullptr;   // (batch, tiles, channels, states): local end, then start states
  float* dt_sum = nullptr;  // (batch, tiles, channels)
  std::int64_t tiles = 0;
};

template <class T>
struct Pass {
  SelectiveScanArgs<T> args;
  TileStates states;
  bool vectors = false;  // all rows can be read sixteen bytes at a time
};

// Eight channels of one position: what a thread brings from memory to shared memory at a time.
constexpr int part_channels = 8;
constexpr int row_parts = block_channels / part_channels;
static_assert(staged_rows * row_parts == block_threads && row_parts == part_channels);

// In shared memory channel j of part q of a row stands in slot j * 8 + q, and rows are padded: then
// neither a thread's part nor a lane's channel meets a bank twice.
constexpr int row_slots = block_channels + 8;

__device__ __forceinline__ int slot_of_part(int part, int j) {
  return j * row_parts + part;
}
__device__ __forceinline__ int channel_of_slot(int slot) {
  return slot % row_parts * part_channels + slot / row_parts;
}

template <int lane_states>
struct Staging {
  float2 step[staged_rows][row_slots];       // (dt, dt * x)
  float2 scale[staged_rows][row_slots];      // (g, g * D * x + what the output had)
  float y[2][staged_rows * row_slots + 16];  // each half's sums over its states
  float b[staged_rows][2 * lane_states];
  float c[staged_rows][2 * lane_states];
};

// The positions of one tile in the order of its sweep.
struct TileSweep {
  std::int64_t begin;
  std::int64_t length;
  bool leftwards;

  __device__ std::int64_t position(std::int64_t step) const {
    return leftwards ? begin + length - 1 - step : begin + step;
  }
};

template <class T>
__device__ TileSweep tile_sweep(const SelectiveScanArgs<T>& args, std::int64_t batch,
                                std::int64_t tile) {
  const bool leftwards =
      (args.direction == Direction::right_to_left) != (batch >= args.opposite_from);
  const std::int64_t begin = tile * tile_length;
  const std::int64_t left = args.length - begin;
  return {begin, left < tile_length ? left : tile_length, leftwards};
}

// The bits of eight channels as memory has them: widened only when they are staged, for a
// conversion would wait for the load.
template <class T>
struct RawPart {
  static constexpr int words = part_channels * static_cast<int>(sizeof(T)) / 4;
  std::uint32_t word[words];

  // Elements [0, count), zero beyond.
  __device__ __forceinline__ void load(const T* from, std::int64_t count, bool vectors) {
    if (vectors && count >= part_channels) {
#pragma unroll
      for (int i = 0; i < words; i += 4) {
        const uint4 bits = reinterpret_cast<const uint4*>(from)[i / 4];
        word[i] = bits.x;
        word[i + 1] = bits.y;
        word[i + 2] = bits.z;
        word[i + 3] = bits.w;
      }
      return;
    }
    constexpr int in_word = 4 / static_cast<int>(sizeof(T));
#pragma unroll
    for (int i = 0; i < words; ++i) {
      word[i] = 0;
#pragma unroll
      for (int j = 0; j < in_word; ++j) {
        if (i * in_word + j >= count) break;
        const std::uint32_t bits = bits_of(from[i * in_word + j]);
        word[i] |= bits << (j * 16);
      }
    }
  }

  __device__ __forceinline__ float value(int channel) const {
    if constexpr (sizeof(T) == 4) return __uint_as_float(word[channel]);
    const std::uint32_t pair = word[channel / 2];
    return __uint_as_float(channel % 2 == 0 ? pair << 16 : pair & 0xffff0000u);
  }

 private:
  static __device__ __forceinline__ std::uint32_t bits_of(float value) {
    return __float_as_uint(value);
  }
  static __device__ __forceinline__ std::uint32_t bits_of(bfloat16 value) {
    return value.bits;
  }
};

template <class T>
__device__ __forceinline__ void store_part(const float (&from)[part_channels], std::int64_t count,
                                           bool vectors, T* to) {
  constexpr int step = vector_elements<T>;
  if (vectors && count >= part_channels) {
#pragma unroll
    for (int i = 0; i < part_channels; i += step) {
      float part[step];
#pragma unroll
      for (int j = 0; j < step; ++j) part[j] = from[i + j];
      store_vector(part, to + i);
    }
    return;
  }
#pragma unroll
  for (int i = 0; i < part_channels; ++i) {
    if (i < count) to[i] = from_float<T>(from[i]);
  }
}

// What a thread holds of the positions that are staged next, read while the ones before are swept.
template <class T, int lane_states>
struct Ahead {
  static constexpr int bc = staged_rows * 2 * lane_states / block_threads;
  RawPart<T> x;
  RawPart<float> delta;
  RawPart<T> gate;
  RawPart<T> out;
  float b[bc];
  float c[bc];
};

// The thread's part of a block of positions: which row, which channels.
struct Part {
  int row;
  int index;             // which eight of the row's channels
  std::int64_t channel;  // of its first channel
  std::int64_t count;    // channels from there to the last
};

template <class T, int lane_states, bool with_output>
__device__ __forceinline__ void read_ahead(const Pass<T>& pass, const TileSweep& sweep,
                                           std::int64_t batch, const Part& part, std::int64_t first,
                                           Ahead<T, lane_states>& ahead) {
  const SelectiveScanArgs<T>& args = pass.args;
  if (first + part.row < sweep.length && part.count > 0) {
    const std::int64_t t = sweep.position(first + part.row);
    const std::int64_t dense = (batch * args.length + t) * args.channels + part.channel;
    ahead.x.load(args.x + batch * args.x_batch_stride + t * args.x_row_stride + part.channel,
                 part.count, pass.vectors);
    ahead.delta.load(args.delta + dense, part.count, pass.vectors);
    if (with_output && args.gate != nullptr) {
      ahead.gate.load(
          args.gate + batch * args.gate_batch_stride + t * args.gate_row_stride + part.channel,
          part.count, pass.vectors);
    }
    if (with_output && args.accumulate) {
      ahead.out.load(args.out + dense, part.count, pass.vectors);
    }
  }
  constexpr int padded = 2 * lane_states;
#pragma unroll
  for (int i = 0; i < Ahead<T, lane_states>::bc; ++i) {
    const int at = static_cast<int>(threadIdx.x) + i * block_threads;
    const int n = at % padded;
    const std::int64_t step = first + at / padded;
    ahead.b[i] = 0.0f;
    ahead.c[i] = 0.0f;
    if (n >= args.states || step >= sweep.length) continue;
    const std::int64_t from =
        batch * args.bc_batch_stride + sweep.position(step) * args.bc_row_stride + n;
    ahead.b[i] = args.b[from];
    if (with_output) ahead.c[i] = args.c[from];
  }
}

// From registers to shared memory, softplus, gate and skip on the way. What is added to the output
// comes with the skip, so that accumulating costs one load.
template <class T, int lane_states, bool with_output>
__device__ __forceinline__ void stage(const Pass<T>& pass, const Part& part,
                                      const Ahead<T, lane_states>& ahead,
                                      Staging<lane_states>& shared) {
  const SelectiveScanArgs<T>& args = pass.args;
#pragma unroll
  for (int j = 0; j < part_channels; ++j) {
    if (j >= part.count) break;
    const int slot = slot_of_part(part.index, j);
    const float bias = args.delta_bias != nullptr ? args.delta_bias[part.channel + j] : 0.0f;
    const float dt = softplus(ahead.delta.value(j) + bias);
    shared.step[part.row][slot] = make_float2(dt, dt * ahead.x.value(j));
    if (with_output) {
      const float g = args.gate != nullptr ? silu(ahead.gate.value(j)) : 1.0f;
      const float skip = args.d != nullptr ? args.d[part.channel + j] * ahead.x.value(j) : 0.0f;
      const float before = args.accumulate ? ahead.out.value(j) : 0.0f;
      shared.scale[part.row][slot] = make_float2(g, fmaf(g, skip, before));
    }
  }
  constexpr int padded = 2 * lane_states;
#pragma unroll
  for (int i = 0; i < Ahead<T, lane_states>::bc; ++i) {
    const int at = static_cast<int>(threadIdx.x) + i * block_threads;
    shared.b[at / padded][at % padded] = ahead.b[i];
    if (with_output) shared.c[at / padded][at % padded] = ahead.c[i];
  }
}

// The outputs of the thread's part: both halves' sums, gated, and the skip.
template <class T, int lane_states>
__device__ __forceinline__ void write_out(const Pass<T>& pass, const TileSweep& sweep,
                                          std::int64_t batch, const Part& part, std::int64_t first,
                                          const Staging<lane_states>& shared) {
  const SelectiveScanArgs<T>& args = pass.args;
  if (first + part.row >= sweep.length || part.count <= 0) return;
  float y[part_channels];
#pragma unroll
  for (int j = 0; j < part_channels; ++j) {
    const int slot = slot_of_part(part.index, j);
    const float2 scale = shared.scale[part.row][slot];
    const int at = part.row * row_slots + slot;
    y[j] = fmaf(shared.y[0][at] + shared.y[1][at], scale.x, scale.y);
  }
  const std::int64_t t = sweep.position(first + part.row);
  store_part(y, part.count, pass.vectors,
             args.out + (batch * args.length + t) * args.channels + part.channel);
}

// Reads lane_states floats from shared memory, sixteen bytes at a time.
template <int lane_states>
__device__ __forceinline__ void read_states(const float* from, float (&to)[lane_states]) {
#pragma unroll
  for (int n = 0; n < lane_states; n += 4) {
    const float4 value = *reinterpret_cast<const float4*>(from + n);
    to[n] = value.x;
    to[n + 1] = value.y;
    to[n + 2] = value.z;
    to[n + 3] = value.w;
  }
}

// One tile of a block's channels. with_output false: pass 1, true: pass 3.
template <class T, int lane_states, bool with_output>
__global__ void __launch_bounds__(block_threads, lane_states <= 8 ? blocks_at_once : 1)
    scan_tile(const Pass<T> pass) {
  extern __shared__ char memory[];
  auto& shared = *reinterpret_cast<Staging<lane_states>*>(memory);
  const SelectiveScanArgs<T>& args = pass.args;
  const std::int64_t channel_blocks = (args.channels + block_channels - 1) / block_channels;
  const std::int64_t first_channel = blockIdx.x % channel_blocks * block_channels;
  const std::int64_t tile = blockIdx.x / channel_blocks;
  const std::int64_t batch = blockIdx.y;
  const TileSweep sweep = tile_sweep(args, batch, tile);
  const int slot = static_cast<int>(threadIdx.x) / 2;
  const int half = static_cast<int>(threadIdx.x) % 2;
  const int first_state = half * lane_states;
  const std::int64_t channel = first_channel + channel_of_slot(slot);
  const bool is_live = channel < args.channels;

  float a[lane_states];
  float h[lane_states];
  float dt_sum = 0.0f;
  const std::int64_t of_sequence = args.channels * args.states;
  const std::int64_t own_state = channel * args.states + first_state;
#pragma unroll
  for (int n = 0; n < lane_states; ++n) {
    const bool exists = is_live && first_state + n < args.states;
    a[n] = exists ? args.a[own_state + n] * log2_e : 0.0f;
    h[n] = 0.0f;
    if (!with_output || !exists) continue;
    if (pass.states.state != nullptr) {
      h[n] = pass.states.state[(batch * pass.states.tiles + tile) * of_sequence + own_state + n];
    } else if (args.state_in != nullptr) {
      h[n] = args.state_in[batch * of_sequence + own_state + n];
    }
  }

  Part part;
  part.row = static_cast<int>(threadIdx.x) / row_parts;
  part.index = static_cast<int>(threadIdx.x) % row_parts;
  part.channel = first_channel + part.index * part_channels;
  part.count = args.channels - part.channel;
  Ahead<T, lane_states> ahead;
  read_ahead<T, lane_states, with_output>(pass, sweep, batch, part, 0, ahead);
  for (std::int64_t first = 0; first < sweep.length; first += staged_rows) {
    const std::int64_t left = sweep.length - first;
    const int rows = left < staged_rows ? static_cast<int>(left) : staged_rows;
    stage<T, lane_states, with_output>(pass, part, ahead, shared);
    __syncthreads();
    if (left > staged_rows) {
      read_ahead<T, lane_states, with_output>(pass, sweep, batch, part, first + staged_rows, ahead);
    }
    if (is_live) {
      // Several positions at a time, so that one's sums hide behind the next one's exponentials.
#pragma unroll row_unroll
      for (int row = 0; row < rows; ++row) {
        const float2 step = shared.step[row][slot];
        float b[lane_states];
        read_states(&shared.b[row][first_state], b);
        if (!with_output) dt_sum += step.x;
#pragma unroll
        for (int n = 0; n < lane_states; ++n) {
          h[n] = fmaf(exp2_fast(step.x * a[n]), h[n], step.y * b[n]);
        }
        if (with_output) {
          float c[lane_states];
          read_states(&shared.c[row][first_state], c);
          float even = 0.0f;
          float odd = 0.0f;
#pragma unroll
          for (int n = 0; n < lane_states; n += 2) {
            even = fmaf(c[n], h[n], even);
            odd = fmaf(c[n + 1], h[n + 1], odd);
          }
          shared.y[half][row * row_slots + slot] = even + odd;
        }
      }
    }
    __syncthreads();
    // A thread reads here scales that it alone writes when the next positions are staged, and sums
    // that are not written before the barrier after that.
    if (with_output) write_out(pass, sweep, batch, part, first, shared);
  }
  if (with_output || !is_live) return;
  const std::int64_t of_tile = batch * pass.states.tiles + tile;
#pragma unroll
  for (int n = 0; n < lane_states; ++n) {
    if (first_state + n < args.states) {
      pass.states.state[of_tile * of_sequence + own_state + n] = h[n];
    }
  }
  if (half == 0) pass.states.dt_sum[of_tile * args.channels + channel] = dt_sum;
}

// Pass 2: a thread a (batch, channel, state).
template <class T>
__global__ void chain_tiles(const Pass<T> pass) {
  const SelectiveScanArgs<T>& args = pass.args;
  const std::int64_t of_batch = args.channels * args.states;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= args.batch * of_batch) return;
  const std::int64_t batch = i / of_batch;
  const std::int64_t channel = i % of_batch / args.states;
  const float a = args.a[i % of_batch] * log2_e;
  const bool leftwards =
      (args.direction == Direction::right_to_left) != (batch >= args.opposite_from);
  const std::int64_t tiles = pass.states.tiles;
  float h = args.state_in != nullptr ? args.state_in[i] : 0.0f;
  for (std::int64_t step = 0; step < tiles; ++step) {
    const std::int64_t tile = batch * tiles + (leftwards ? tiles - 1 - step : step);
    float* state = pass.states.state + tile * of_batch + i % of_batch;
    const float local = *state;
    *state = h;
    h = fmaf(exp2_fast(a * pass.states.dt_sum[tile * args.channels + channel]), h, local);
  }
  if (args.state_out != nullptr) args.state_out[i] = h;
}

template <class T, int lane_states, bool with_output>
void launch_tiles(cudaStream_t stream, const Pass<T>& pass, std::int64_t tiles) {
  constexpr int bytes = static_cast<int>(sizeof(Staging<lane_states>));
  check(cudaFuncSetAttribute(scan_tile<T, lane_states, with_output>,
                             cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
        "selective_scan: shared memory");
  const SelectiveScanArgs<T>& args = pass.args;
  const std::int64_t channel_blocks = (args.channels + block_channels - 1) / block_channels;
  const dim3 grid(static_cast<unsigned>(tiles * channel_blocks), static_cast<unsigned>(args.batch));
  scan_tile<T, lane_states, with_output><<<grid, block_threads, bytes, stream>>>(pass);
  check_launch("selective_scan");
}

template <class T, int lane_states>
void scan(cudaStream_t stream, Pass<T> pass, std::int64_t tiles) {
  const SelectiveScanArgs<T>& args = pass.args;
  const bool hands_on = tiles > 1 || args.state_out != nullptr;
  if (hands_on) {
    pass.states.tiles = tiles;
    const auto cells = static_cast<std::size_t>(args.batch * tiles * args.channels);
    const std::size_t state_bytes = cells * static_cast<std::size_t>(args.states) * sizeof(float);
    void* memory = nullptr;
    check(cudaMallocAsync(&memory, state_bytes + cells * sizeof(float), stream),
          "selective_scan: " + std::to_string(state_bytes) + " bytes for the states of its tiles");
    pass.states.state = static_cast<float*>(memory);
    pass.states.dt_sum = pass.states.state + cells * static_cast<std::size_t>(args.states);
    launch_tiles<T, lane_states, false>(stream, pass, tiles);
    constexpr int threads = 128;
    const std::int64_t count = args.batch * args.channels * args.states;
    chain_tiles<T>
        <<<static_cast<unsigned>((count + threads - 1) / threads), threads, 0, stream>>>(pass);
    check_launch("selective_scan: chain");
  }
  launch_tiles<T, lane_states, true>(stream, pass, tiles);
  if (hands_on) check(cudaFreeAsync(pass.states.state, stream), "selective_scan: free");
}

template <class T>
void run(cudaStream_t stream, const SelectiveScanArgs<T>& args) {
  if (args.batch == 0 || args.length == 0 || args.channels == 0) return;
  const std::int64_t tiles = (args.length + tile_length - 1) / tile_length;
  constexpr std::int64_t most_batches = 65535;  // of a grid's second axis
  const std::int64_t of_sequence = args.channels * args.states;
  for (std::int64_t first = 0; first < args.batch; first += most_batches) {
    Pass<T> pass;
    pass.args = args;
    SelectiveScanArgs<T>& part = pass.args;
    part.batch = std::min(most_batches, args.batch - first);
    part.opposite_from = std::clamp<std::int64_t>(args.opposite_from - first, 0, part.batch);
    part.x += first * args.x_batch_stride;
    part.delta += first * args.length * args.channels;
    part.b += first * args.bc_batch_stride;
    part.c += first * args.bc_batch_stride;
    part.out += first * args.length * args.channels;
    if (part.gate != nullptr) part.gate += first * args.gate_batch_stride;
    if (part.state_in != nullptr) part.state_in += first * of_sequence;
    if (part.state_out != nullptr) part.state_out += first * of_sequence;
    pass.vectors = is_vector_aligned(part.x, part.x_row_stride) &&
                   part.x_batch_stride * static_cast<std::int64_t>(sizeof(T)) % 16 == 0 &&
                   is_vector_aligned(part.delta, part.channels) &&
                   (part.gate == nullptr ||
                    (is_vector_aligned(part.gate, part.gate_row_stride) &&
                     part.gate_batch_stride * static_cast<std::int64_t>(sizeof(T)) % 16 == 0));
    if (args.states <= 16) {
      scan<T, 8>(stream, pass, tiles);
    } else if (args.states <= 64) {
      scan<T, 32>(stream, pass, tiles);
    } else {
      scan<T, 128>(stream, pass, tiles);
    }
  }
}

}  // namespace

void selective_scan(cudaStream_t stream, const SelectiveScanArgs<float>& args) {
  run(stream, args);
}
void selective_scan(cudaStream_t stream, const SelectiveScanArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
