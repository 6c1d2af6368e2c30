#pragma once
// What all ways to run the selective scan (selective_scan.cu) share: which chain is which, how a
// sequence is cut, how a slice's rows come to shared memory and how its outputs leave.

#include "kernels/cuda/async_copy.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/signal.cuh"
#include "kernels/selective_scan.hpp"

namespace ssmgen::kernels::cuda {

inline constexpr int slice_positions = 16;
inline constexpr int chain_channels = 16;
inline constexpr int lane_states = 8;
inline constexpr int group_states = 2 * lane_states;  // of each channel, in a warp at a time
inline constexpr int state_parts = lane_states / 4;   // sixteen bytes each

// What a launch works on, with what a warp would otherwise work out again for each tile.
template <class T>
struct Job {
  SelectiveScanArgs<T> args;
  int length = 0;
  int channels = 0;
  int bc_row_stride = 0;
  int channel_groups = 0;  // chains of one sequence
  int state_groups = 0;    // 16 states each
  int tiles = 0;           // of a sequence
  int chains = 0;
  int workers = 0;  // a worker's chains are so many apart

  __device__ bool sweeps_leftwards(int batch) const {
    return (args.direction == Direction::right_to_left) != (batch >= args.opposite_from);
  }
  // False for what a slice has before or beyond the sequence.
  __device__ bool has(int position) const {
    return static_cast<unsigned>(position) < static_cast<unsigned>(length);
  }
};

// Which of its optional parts a scan has.
struct Parts {
  bool accumulates;
  bool is_gated;

  template <class T>
  __device__ static Parts of(const Job<T>& job) {
    return {job.args.accumulate, job.args.gate != nullptr};
  }
};

// In place of Parts where they are known when the kernel is compiled.
template <bool accumulates, bool is_gated>
struct KnownParts {
  static constexpr Parts parts{accumulates, is_gated};

  template <class T>
  __device__ static constexpr Parts of(const Job<T>& /*job*/) {
    return parts;
  }
};

// One slice's rows in shared memory, in sweep order.
template <int positions>
struct StatesOf {
  float b[positions][group_states];
  float c[positions][group_states];
};
template <class T, int positions, int channels>
struct RowsOf {
  T delta[positions][channels];
  T x[positions][channels];
  T gate[positions][channels];
  T before[positions][channels];
};
using SliceStates = StatesOf<slice_positions>;
template <class T>
using SliceRows = RowsOf<T, slice_positions, chain_channels>;

// Both, one StatesOf a state group.
template <class T, int positions = slice_positions, int channels = chain_channels>
struct SliceMemory {
  using Rows = RowsOf<T, positions, channels>;
  using States = StatesOf<positions>;
  char* memory;

  static __host__ __device__ constexpr std::size_t bytes(int state_groups) {
    return sizeof(Rows) + static_cast<std::size_t>(state_groups) * sizeof(States);
  }
  __device__ Rows& rows() const { return *reinterpret_cast<Rows*>(memory); }
  __device__ States* states() const { return reinterpret_cast<States*>(memory + sizeof(Rows)); }
};

// 2^x that is worked out before what comes next in the code waits for something.
__device__ __forceinline__ float exp2_now(float x) {
  float result;
  asm volatile("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

// Four floats of shared memory.
__device__ __forceinline__ void get(const float* from, float (&to)[4]) {
  const float4 value = *reinterpret_cast<const float4*>(from);
  to[0] = value.x;
  to[1] = value.y;
  to[2] = value.z;
  to[3] = value.w;
}

// Where a chain's steps lie: its first channel at position 0 of x and its like and B and C at
// position 0, in elements from the tensors' begin; the position of the first step at hand, and
// which way the next one lies.
struct Steps {
  std::int64_t dense;
  std::int64_t states;
  int first;
  int way;
};

// Some channels of one sequence: number `index` of the chains of so many channels.
struct Chain {
  int batch;
  int channel;  // the first
  bool leftwards;

  template <class T>
  __device__ Chain(const Job<T>& job, int index, int channels = chain_channels)
      : batch(index / job.channel_groups),
        channel((index - batch * job.channel_groups) * channels),
        leftwards(job.sweeps_leftwards(batch)) {}

  // All of them.
  template <class T>
  __device__ Steps steps(const Job<T>& job) const {
    return steps_from(job, leftwards ? job.length - 1 : 0);
  }

  // The first position of a tile's slice, and where step `step` of it lies, maybe beyond the end.
  template <int slices, class T>
  __device__ int slice_begin(const Job<T>& job, int tile, int slice) const {
    const int first = (leftwards ? job.tiles - 1 - tile : tile) * slices;
    return (first + (leftwards ? slices - 1 - slice : slice)) * slice_positions;
  }
  __device__ int step_offset(int step) const {
    return leftwards ? slice_positions - 1 - step : step;
  }
  template <int slices, class T>
  __device__ Steps slice_steps(const Job<T>& job, int tile, int slice) const {
    return steps_from(job, slice_begin<slices>(job, tile, slice) + step_offset(0));
  }

 private:
  template <class T>
  __device__ Steps steps_from(const Job<T>& job, int first) const {
    return {static_cast<std::int64_t>(batch) * job.length * job.channels + channel,
            batch * job.args.bc_batch_stride, first, leftwards ? -1 : 1};
  }
};

// Where in its chains a worker is: a block of a cluster whose blocks take tiles in turn.
struct Place {
  int chain;
  int tile;  // in sweep order

  /// @returns whether it came to another chain.
  template <class T>
  __device__ bool advance(const Job<T>& job, int tiles) {
    tile += tiles;
    if (tile < job.tiles) return false;
    for (; tile >= job.tiles; tile -= job.tiles) chain += job.workers;
    return true;
  }
  template <class T>
  __device__ bool exists(const Job<T>& job) const {
    return chain < job.chains;
  }
};

// What a thread copies of a chain's slices, one after the other: of each tensor every sixteen bytes
// whose place among the slice's is the thread's. Only for dense rows of whole vectors.
template <class T, int threads = 32, int positions = slice_positions, int channels = chain_channels>
class SliceFeed {
 public:
  using Memory = SliceMemory<T, positions, channels>;

  /// At a slice; the next is so many positions further on.
  __device__ void start(const Job<T>& job, const Steps& steps, int spacing, int thread) {
    way_ = steps.way;
    spacing_ = way_ * spacing;
    row_ = steps.first + way_ * (thread / row_vectors);
    state_row_ = steps.first + way_ * (thread / state_vectors);
    row_bytes_ = way_ * job.channels * static_cast<int>(sizeof(T));
    state_row_bytes_ = way_ * job.bc_row_stride * static_cast<int>(sizeof(float));
    dense_ahead_ = spacing * row_bytes_;
    states_ahead_ = spacing * state_row_bytes_;
    dense_ = (steps.dense + static_cast<std::int64_t>(row_) * job.channels +
              thread % row_vectors * vector_elements<T>)*static_cast<int>(sizeof(T));
    states_ = (steps.states + static_cast<std::int64_t>(state_row_) * job.bc_row_stride +
               thread % state_vectors * 4) *
              static_cast<int>(sizeof(float));
  }

  /// The slice it stands at, in sweep order, zeros for what lies beyond the sequence.
  __device__ __forceinline__ void stage(const Job<T>& job, Parts parts, int thread,
                                        const Memory& memory) const {
    const SelectiveScanArgs<T>& args = job.args;
    const auto at = [](const auto* tensor, std::int64_t bytes) {
      return reinterpret_cast<const char*>(tensor) + bytes;
    };
    T* row = &memory.rows().delta[0][0] + thread * vector_elements<T>;
    constexpr int tensor = positions * channels;  // elements of one
    constexpr int rows_at_once = threads / row_vectors;
#pragma unroll
    for (int i = 0; i < positions / rows_at_once; ++i) {
      const bool exists = job.has(row_ + i * way_ * rows_at_once);
      const std::int64_t from = dense_ + i * rows_at_once * row_bytes_;
      T* to = row + i * threads * vector_elements<T>;
      copy_vector(to, at(args.delta, from), exists);
      copy_vector(to + tensor, at(args.x, from), exists);
      if (parts.is_gated) copy_vector(to + 2 * tensor, at(args.gate, from), exists);
      if (parts.accumulates) copy_vector(to + 3 * tensor, at(args.out, from), exists);
    }
    float* state_row = &memory.states()->b[0][0] + thread * 4;
    constexpr int states = positions * group_states;
    constexpr int state_rows_at_once = threads / state_vectors;
#pragma unroll
    for (int i = 0; i < positions / state_rows_at_once; ++i) {
      const bool exists = job.has(state_row_ + i * way_ * state_rows_at_once);
      const std::int64_t from = states_ + i * state_rows_at_once * state_row_bytes_;
      float* to = state_row + i * threads * 4;
      copy_vector(to, at(args.b, from), exists);
      copy_vector(to + states, at(args.c, from), exists);
    }
  }

  /// To the next slice of the chain.
  __device__ void advance() {
    row_ += spacing_;
    state_row_ += spacing_;
    dense_ += dense_ahead_;
    states_ += states_ahead_;
  }

 private:
  static constexpr int row_vectors = channels / vector_elements<T>;  // of a row of x
  static constexpr int state_vectors = group_states / 4;             // of B and C
  int way_;
  int spacing_;    // positions from a slice to the next
  int row_;        // where the thread's first vector of x and its like lies ...
  int state_row_;  // ... and of B and C
  int row_bytes_;  // from a step to the next
  int state_row_bytes_;
  int dense_ahead_;  // bytes from a slice to the next
  int states_ahead_;
  std::int64_t dense_;  // bytes from the tensor's begin
  std::int64_t states_;
};

// A slice's rows of any stride, alignment and number.
template <int slices, class T>
__device__ __forceinline__ void stage_elements(const Job<T>& job, const Place& place, int slice,
                                               int lane, SliceRows<T>& rows, SliceStates* states) {
  const SelectiveScanArgs<T>& args = job.args;
  const Chain chain(job, place.chain);
  const int begin = chain.slice_begin<slices>(job, place.tile, slice);
  const std::int64_t batch = chain.batch;
  for (int i = lane; i < slice_positions * chain_channels; i += 32) {
    const int step = i / chain_channels;
    const int element = i % chain_channels;
    const std::int64_t t = begin + chain.step_offset(step);
    const std::int64_t channel = chain.channel + element;
    const bool exists = t < args.length && channel < args.channels;
    const std::int64_t dense = (batch * args.length + t) * args.channels + channel;
    const T zero = from_float<T>(0.0f);
    rows.delta[step][element] = exists ? args.delta[dense] : zero;
    rows.x[step][element] =
        exists ? args.x[batch * args.x_batch_stride + t * args.x_row_stride + channel] : zero;
    if (args.gate != nullptr) {
      rows.gate[step][element] =
          exists ? args.gate[batch * args.gate_batch_stride + t * args.gate_row_stride + channel]
                 : zero;
    }
    if (args.accumulate) rows.before[step][element] = exists ? args.out[dense] : zero;
  }
  for (int i = lane; i < slice_positions * group_states * job.state_groups; i += 32) {
    const int group = i / (slice_positions * group_states);
    const int step = i / group_states % slice_positions;
    const int element = i % group_states;
    const int state = group * group_states + element;
    const std::int64_t t = begin + chain.step_offset(step);
    const bool exists = t < args.length && state < args.states;
    const std::int64_t from = batch * args.bc_batch_stride + t * args.bc_row_stride + state;
    states[group].b[step][element] = exists ? args.b[from] : 0.0f;
    states[group].c[step][element] = exists ? args.c[from] : 0.0f;
  }
}

// Each lane's part of the state that a chain starts from, at state `first` of the lane's channel.
template <class T, int count>
__device__ __forceinline__ void initial_state(const SelectiveScanArgs<T>& args, int batch,
                                              std::int64_t channel, int first, float (&h)[count]) {
#pragma unroll
  for (int n = 0; n < count; ++n) {
    const bool exists =
        args.state_in != nullptr && channel < args.channels && first + n < args.states;
    h[n] =
        exists ? args.state_in[(batch * args.channels + channel) * args.states + first + n] : 0.0f;
  }
}

template <class T, int count>
__device__ __forceinline__ void final_state(const SelectiveScanArgs<T>& args, int batch,
                                            std::int64_t channel, int first,
                                            const float (&h)[count]) {
  if (args.state_out == nullptr || channel >= args.channels) return;
#pragma unroll
  for (int n = 0; n < count; ++n) {
    if (first + n >= args.states) break;
    args.state_out[(batch * args.channels + channel) * args.states + first + n] = h[n];
  }
}

// A of a lane's states for powers of two, zero where there is none.
template <bool vectors, class T, int count>
__device__ __forceinline__ void load_rates(const SelectiveScanArgs<T>& args, int channel, int first,
                                           float (&a)[count]) {
  const float* from = args.a + static_cast<std::int64_t>(channel) * args.states + first;
#pragma unroll
  for (int n = 0; n < count; ++n) {
    const bool exists = vectors || (channel < args.channels && first + n < args.states);
    a[n] = exists ? from[n] * log2_e : 0.0f;
  }
}

// A lane's outputs are of two channels, so that they leave in one store.
inline constexpr int pair_channels = 2;

// Two lanes share a channel, each with the sums of its own states; the next lanes have the channel
// beside it. Of every four positions each of these four lanes gets one, output_step(), of both
// channels, from all states.
template <int count>
__device__ __forceinline__ void join_lanes(const float (&y)[4 * count], int half, int own_channel,
                                           float (&out)[count][pair_channels]) {
  const bool is_odd = own_channel % 2 != 0;
#pragma unroll
  for (int i = 0; i < count; ++i) {
    float sum[2];
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const float give = half == 0 ? y[4 * i + 2 + j] : y[4 * i + j];
      const float keep = half == 0 ? y[4 * i + j] : y[4 * i + 2 + j];
      sum[j] = keep + __shfl_xor_sync(0xffffffffu, give, chain_channels);
    }
    const float give = is_odd ? sum[0] : sum[1];
    const float keep = is_odd ? sum[1] : sum[0];
    const float got = __shfl_xor_sync(0xffffffffu, give, 1);
    out[i][0] = is_odd ? got : keep;
    out[i][1] = is_odd ? keep : got;
  }
}
__device__ __forceinline__ int output_step(int half, int own_channel) {
  return 2 * half + own_channel % 2;
}

// Where a lane's outputs go, from one step on.
template <class T>
struct OutputPlace {
  T* to;
  int row;  // elements from a step to the next

  __device__ OutputPlace(const Job<T>& job, const Steps& steps, int channel, int step)
      : to(job.args.out + steps.dense + channel +
           static_cast<std::int64_t>(steps.first + steps.way * step) * job.channels),
        row(steps.way * job.channels) {}
  __device__ void skip(int steps) { to += steps * row; }
};

// The same of a slice, whose steps may lie beyond either end of the sequence.
template <class T>
struct OutputSteps : OutputPlace<T> {
  int t;  // position
  int way;

  __device__ OutputSteps(const Job<T>& job, const Steps& steps, int channel, int step)
      : OutputPlace<T>(job, steps, channel, step),
        t(steps.first + steps.way * step),
        way(steps.way) {}
  __device__ bool exists(const Job<T>& job) const { return job.has(t); }
  __device__ void skip(int steps) {
    t += steps * way;
    OutputPlace<T>::skip(steps);
  }
};

// D of a pair of channels, zero where there is none.
template <bool vectors, class T>
__device__ __forceinline__ void load_skips(const SelectiveScanArgs<T>& args, int channel,
                                           float (&skip)[pair_channels]) {
#pragma unroll
  for (int i = 0; i < pair_channels; ++i) {
    const bool exists = args.d != nullptr && (vectors || channel + i < args.channels);
    skip[i] = exists ? args.d[channel + i] : 0.0f;
  }
}

// Skip, the other direction, gate: the outputs of a slice's steps `first`, `first` + `spacing` ...
// for the channels `pair` and the next of the chain. What is added was rounded when it was stored
// and so is y: which came first changes nothing.
template <bool vectors, int spacing, class T, int positions, int channels, int count, class Outputs>
__device__ __forceinline__ void write_outputs(const Job<T>& job, Parts parts, int chain_channel,
                                              int pair, const float (&skip)[pair_channels],
                                              const RowsOf<T, positions, channels>& rows, int first,
                                              float (&y)[count][pair_channels], Outputs outputs) {
#pragma unroll
  for (int k = 0; k < count; ++k) {
    float x[pair_channels];
    get_pair(&rows.x[first + k * spacing][pair], x);
#pragma unroll
    for (int i = 0; i < pair_channels; ++i) y[k][i] = fmaf(skip[i], x[i], y[k][i]);
  }
  if (parts.accumulates) {
#pragma unroll
    for (int k = 0; k < count; ++k) {
      float before[pair_channels];
      get_pair(&rows.before[first + k * spacing][pair], before);
      round_pair<T>(y[k]);
#pragma unroll
      for (int i = 0; i < pair_channels; ++i) y[k][i] += before[i];
    }
  }
  if (parts.is_gated) {
#pragma unroll
    for (int k = 0; k < count; ++k) {
      float gate[pair_channels];
      get_pair(&rows.gate[first + k * spacing][pair], gate);
#pragma unroll
      for (int i = 0; i < pair_channels; ++i) y[k][i] *= silu(gate[i]);
    }
  }
#pragma unroll
  for (int k = 0; k < count; ++k) {
    if (outputs.exists(job)) {
      if constexpr (vectors) {
        put_pair(y[k], outputs.to);
      } else {
#pragma unroll
        for (int i = 0; i < pair_channels; ++i) {
          if (chain_channel + pair + i < job.channels) outputs.to[i] = from_float<T>(y[k][i]);
        }
      }
    }
    outputs.skip(spacing);
  }
}

}  // namespace ssmgen::kernels::cuda
