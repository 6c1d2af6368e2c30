#pragma once
// What both ways to run the selective scan (selective_scan.cu) share: how a sequence is cut, how a
// slice's rows come to shared memory and how its outputs leave.

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
  int workers = 0;
  int batch_step = 0;    // from a worker's chain to its next: sequences ...
  int channel_step = 0;  // ... and channels

  __device__ bool sweeps_leftwards(int batch) const {
    return (args.direction == Direction::right_to_left) != (batch >= args.opposite_from);
  }
  void share(int among) {
    workers = among;
    batch_step = among / channel_groups;
    channel_step = among % channel_groups * chain_channels;
  }
};

// One slice's rows in shared memory, in sweep order.
struct SliceStates {
  float b[slice_positions][group_states];
  float c[slice_positions][group_states];
};
template <class T>
struct SliceRows {
  T delta[slice_positions][chain_channels];
  T x[slice_positions][chain_channels];
  T gate[slice_positions][chain_channels];
  T before[slice_positions][chain_channels];
};

// Both, one SliceStates a state group.
template <class T>
struct SliceMemory {
  char* memory;

  static __host__ __device__ std::size_t bytes(int state_groups) {
    return sizeof(SliceRows<T>) + static_cast<std::size_t>(state_groups) * sizeof(SliceStates);
  }
  __device__ SliceRows<T>& rows() const { return *reinterpret_cast<SliceRows<T>*>(memory); }
  __device__ SliceStates* states() const {
    return reinterpret_cast<SliceStates*>(memory + sizeof(SliceRows<T>));
  }
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

// Where in its chains a worker is: a warp, or a block of a cluster whose blocks take tiles in turn.
struct Cursor {
  int chain;
  int tile;     // in sweep order
  int batch;    // the chain's sequence
  int channel;  // the chain's first
  bool leftwards;

  template <class T>
  __device__ static Cursor at_chain(const Job<T>& job, int chain) {
    const int batch = chain / job.channel_groups;
    const int channel = (chain - batch * job.channel_groups) * chain_channels;
    return {chain, 0, batch, channel, job.sweeps_leftwards(batch)};
  }
  template <class T>
  __device__ void next_chain(const Job<T>& job) {
    chain += job.workers;
    batch += job.batch_step;
    channel += job.channel_step;
    const int end = job.channel_groups * chain_channels;
    if (channel >= end) {
      channel -= end;
      ++batch;
    }
    leftwards = job.sweeps_leftwards(batch);
  }
  /// @returns whether it came to another chain.
  template <class T>
  __device__ bool advance(const Job<T>& job, int tiles) {
    tile += tiles;
    if (tile < job.tiles) return false;
    for (; tile >= job.tiles; tile -= job.tiles) next_chain(job);
    return true;
  }
  template <class T>
  __device__ bool exists(const Job<T>& job) const {
    return chain < job.chains;
  }
  // Where the chain's first position lies in x, delta, gate and out, and in B and C.
  template <class T>
  __device__ std::int64_t dense_begin(const Job<T>& job) const {
    return static_cast<std::int64_t>(batch) * job.length * job.channels + channel;
  }
  template <class T>
  __device__ std::int64_t states_begin(const Job<T>& job) const {
    return batch * job.args.bc_batch_stride;
  }
  // The first position of a tile's slice, and where step `step` of it lies, maybe beyond the end.
  template <int slices, class T>
  __device__ int slice_begin(const Job<T>& job, int slice) const {
    const int first = (leftwards ? job.tiles - 1 - tile : tile) * slices;
    return (first + (leftwards ? slices - 1 - slice : slice)) * slice_positions;
  }
  __device__ int step_offset(int step) const {
    return leftwards ? slice_positions - 1 - step : step;
  }
};

// What a lane copies of a chain's slices, one after the other: of each tensor every sixteen bytes
// whose place among the slice's is the lane's. Only for dense rows of whole vectors.
template <class T>
class SliceFeed {
 public:
  /// At a slice of the cursor's tile; the next is so many positions further on.
  template <int slices>
  __device__ void start(const Job<T>& job, const Cursor& cursor, int slice, int spacing, int lane) {
    const int begin = cursor.slice_begin<slices>(job, slice);
    const int way = cursor.leftwards ? -1 : 1;
    spacing_ = way * spacing;
    ahead_ = way * (32 / row_vectors);
    states_ahead_ = way * (32 / state_vectors);
    row_ = begin + cursor.step_offset(lane / row_vectors);
    state_row_ = begin + cursor.step_offset(lane / state_vectors);
    row_bytes_ = way * job.channels * static_cast<int>(sizeof(T));
    state_row_bytes_ = way * job.bc_row_stride * static_cast<int>(sizeof(float));
    dense_ = (cursor.dense_begin(job) + static_cast<std::int64_t>(row_) * job.channels +
              lane % row_vectors * vector_elements<T>)*static_cast<int>(sizeof(T));
    states_ =
        (cursor.states_begin(job) + static_cast<std::int64_t>(state_row_) * job.bc_row_stride +
         lane % state_vectors * 4) *
        static_cast<int>(sizeof(float));
  }

  /// The slice it stands at, in sweep order, zeros for what lies beyond the sequence.
  __device__ void stage(const Job<T>& job, int lane, const SliceMemory<T>& memory) const {
    const SelectiveScanArgs<T>& args = job.args;
    const auto at = [](const auto* tensor, std::int64_t bytes) {
      return reinterpret_cast<const char*>(tensor) + bytes;
    };
    T* row = &memory.rows().delta[0][0] + lane * vector_elements<T>;
    constexpr int tensor = slice_positions * chain_channels;  // elements of one
#pragma unroll
    for (int i = 0; i < tensor / vector_elements<T> / 32; ++i) {
      const bool exists = row_ + i * ahead_ < job.length;
      const std::int64_t from = dense_ + i * (32 / row_vectors) * row_bytes_;
      T* to = row + i * 32 * vector_elements<T>;
      copy_vector(to, at(args.delta, from), exists);
      copy_vector(to + tensor, at(args.x, from), exists);
      if (args.gate != nullptr) copy_vector(to + 2 * tensor, at(args.gate, from), exists);
      if (args.accumulate) copy_vector(to + 3 * tensor, at(args.out, from), exists);
    }
    float* state_row = &memory.states()->b[0][0] + lane * 4;
    constexpr int states = slice_positions * group_states;
#pragma unroll
    for (int i = 0; i < states / 4 / 32; ++i) {
      const bool exists = state_row_ + i * states_ahead_ < job.length;
      const std::int64_t from = states_ + i * (32 / state_vectors) * state_row_bytes_;
      float* to = state_row + i * 32 * 4;
      copy_vector(to, at(args.b, from), exists);
      copy_vector(to + states, at(args.c, from), exists);
    }
  }

  /// To the next slice of the chain.
  __device__ void advance(const Job<T>& job) {
    row_ += spacing_;
    state_row_ += spacing_;
    dense_ += static_cast<std::int64_t>(spacing_) * job.channels * static_cast<int>(sizeof(T));
    states_ +=
        static_cast<std::int64_t>(spacing_) * job.bc_row_stride * static_cast<int>(sizeof(float));
  }

 private:
  static constexpr int row_vectors = chain_channels / vector_elements<T>;  // of a row of x
  static constexpr int state_vectors = group_states / 4;                   // of B and C
  int spacing_;       // positions from a slice to the next
  int ahead_;         // from one of the lane's vectors of x and its like to the next ...
  int states_ahead_;  // ... and of B and C
  int row_;           // where the lane's first vector of x and its like lies ...
  int state_row_;     // ... and of B and C
  int row_bytes_;     // from a step to the next
  int state_row_bytes_;
  std::int64_t dense_;  // bytes from the tensor's begin
  std::int64_t states_;
};

// A slice's rows of any stride, alignment and number.
template <int slices, class T>
__device__ __forceinline__ void stage_elements(const Job<T>& job, const Cursor& cursor, int slice,
                                               int lane, SliceRows<T>& rows, SliceStates* states) {
  const SelectiveScanArgs<T>& args = job.args;
  const int begin = cursor.slice_begin<slices>(job, slice);
  const std::int64_t batch = cursor.batch;
  for (int i = lane; i < slice_positions * chain_channels; i += 32) {
    const int step = i / chain_channels;
    const int element = i % chain_channels;
    const std::int64_t t = begin + cursor.step_offset(step);
    const std::int64_t channel = cursor.channel + element;
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
    const std::int64_t t = begin + cursor.step_offset(step);
    const bool exists = t < args.length && state < args.states;
    const std::int64_t from = batch * args.bc_batch_stride + t * args.bc_row_stride + state;
    states[group].b[step][element] = exists ? args.b[from] : 0.0f;
    states[group].c[step][element] = exists ? args.c[from] : 0.0f;
  }
}

// Each lane's part of the state that a chain starts from, at state `first` of the lane's channel.
template <class T>
__device__ __forceinline__ void initial_state(const SelectiveScanArgs<T>& args, int batch,
                                              std::int64_t channel, int first,
                                              float (&h)[lane_states]) {
#pragma unroll
  for (int n = 0; n < lane_states; ++n) {
    const bool exists =
        args.state_in != nullptr && channel < args.channels && first + n < args.states;
    h[n] =
        exists ? args.state_in[(batch * args.channels + channel) * args.states + first + n] : 0.0f;
  }
}

template <class T>
__device__ __forceinline__ void final_state(const SelectiveScanArgs<T>& args, int batch,
                                            std::int64_t channel, int first,
                                            const float (&h)[lane_states]) {
  if (args.state_out == nullptr || channel >= args.channels) return;
#pragma unroll
  for (int n = 0; n < lane_states; ++n) {
    if (first + n >= args.states) break;
    args.state_out[(batch * args.channels + channel) * args.states + first + n] = h[n];
  }
}

// A of a lane's states for powers of two, zero where there is none.
template <bool vectors, class T>
__device__ __forceinline__ void load_rates(const SelectiveScanArgs<T>& args, int channel, int first,
                                           float (&a)[lane_states]) {
  const float* from = args.a + static_cast<std::int64_t>(channel) * args.states + first;
#pragma unroll
  for (int n = 0; n < lane_states; ++n) {
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

// Where a lane's outputs go: from one step of a slice on.
template <class T>
struct OutputSteps {
  T* to;
  int t;  // position, maybe beyond the end
  int way;
  int row;  // elements from a step to the next

  __device__ void skip(int steps) {
    t += steps * way;
    to += steps * row;
  }
};

template <int slices, class T>
__device__ __forceinline__ OutputSteps<T> outputs_from(const Job<T>& job, const Cursor& cursor,
                                                       int slice, int pair, int step) {
  const int t = cursor.slice_begin<slices>(job, slice) + cursor.step_offset(step);
  const int way = cursor.leftwards ? -1 : 1;
  const std::int64_t from =
      cursor.dense_begin(job) + pair + static_cast<std::int64_t>(t) * job.channels;
  return {job.args.out + from, t, way, way * job.channels};
}

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
template <bool vectors, int spacing, class T, int count>
__device__ __forceinline__ void write_outputs(const Job<T>& job, const Cursor& cursor, int pair,
                                              const float (&skip)[pair_channels],
                                              const SliceRows<T>& rows, int first,
                                              float (&y)[count][pair_channels],
                                              OutputSteps<T> outputs) {
  const auto place = [&](int k) { return (first + k * spacing) * chain_channels + pair; };
#pragma unroll
  for (int k = 0; k < count; ++k) {
    float x[pair_channels];
    get_pair(&rows.x[0][0] + place(k), x);
#pragma unroll
    for (int i = 0; i < pair_channels; ++i) y[k][i] = fmaf(skip[i], x[i], y[k][i]);
  }
  if (job.args.accumulate) {
#pragma unroll
    for (int k = 0; k < count; ++k) {
      float before[pair_channels];
      get_pair(&rows.before[0][0] + place(k), before);
      round_pair<T>(y[k]);
#pragma unroll
      for (int i = 0; i < pair_channels; ++i) y[k][i] += before[i];
    }
  }
  if (job.args.gate != nullptr) {
#pragma unroll
    for (int k = 0; k < count; ++k) {
      float gate[pair_channels];
      get_pair(&rows.gate[0][0] + place(k), gate);
#pragma unroll
      for (int i = 0; i < pair_channels; ++i) y[k][i] *= silu(gate[i]);
    }
  }
#pragma unroll
  for (int k = 0; k < count; ++k) {
    if (outputs.t < job.length) {
      if constexpr (vectors) {
        put_pair(y[k], outputs.to);
      } else {
#pragma unroll
        for (int i = 0; i < pair_channels; ++i) {
          if (cursor.channel + pair + i < job.channels) outputs.to[i] = from_float<T>(y[k][i]);
        }
      }
    }
    outputs.skip(spacing);
  }
}

}  // namespace ssmgen::kernels::cuda
