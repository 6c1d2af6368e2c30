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
  std::int64_t dense;  // where its first position lies in x, delta, gate and out ...
  std::int64_t bc;     // ... and in B and C

  template <class T>
  __device__ static Cursor at_chain(const Job<T>& job, int chain) {
    const int batch = chain / job.channel_groups;
    const int channel = (chain - batch * job.channel_groups) * chain_channels;
    Cursor result{chain, 0, batch, channel, false, 0, 0};
    result.locate(job);
    return result;
  }
  template <class T>
  __device__ void locate(const Job<T>& job) {
    leftwards = job.sweeps_leftwards(batch);
    dense = static_cast<std::int64_t>(batch) * job.length * job.channels + channel;
    bc = batch * job.args.bc_batch_stride;
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
    locate(job);
  }
  template <class T>
  __device__ void advance(const Job<T>& job, int tiles) {
    for (tile += tiles; tile >= job.tiles; tile -= job.tiles) next_chain(job);
  }
  template <class T>
  __device__ bool exists(const Job<T>& job) const {
    return chain < job.chains;
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

// Brings a slice's rows to shared memory in sweep order, zeros for what lies beyond the sequence.
// Dense rows of whole vectors, one asynchronous copy of a lane a piece.
template <int slices, class T>
__device__ __forceinline__ void stage_vectors(const Job<T>& job, const Cursor& cursor, int slice,
                                              int lane, SliceRows<T>& rows, SliceStates& states) {
  const SelectiveScanArgs<T>& args = job.args;
  const int begin = cursor.slice_begin<slices>(job, slice);
  constexpr int parts = chain_channels / vector_elements<T>;  // of a row
#pragma unroll
  for (int i = lane; i < slice_positions * parts; i += 32) {
    const int step = i / parts;
    const int element = i % parts * vector_elements<T>;
    const int t = begin + cursor.step_offset(step);
    const bool exists = t < job.length;
    const std::int64_t from = cursor.dense + static_cast<std::int64_t>(t) * job.channels + element;
    copy_vector(&rows.delta[step][element], args.delta + from, exists);
    copy_vector(&rows.x[step][element], args.x + from, exists);
    if (args.gate != nullptr) copy_vector(&rows.gate[step][element], args.gate + from, exists);
    if (args.accumulate) copy_vector(&rows.before[step][element], args.out + from, exists);
  }
  constexpr int state_parts = group_states / 4;
#pragma unroll
  for (int i = lane; i < slice_positions * state_parts; i += 32) {
    const int step = i / state_parts;
    const int element = i % state_parts * 4;
    const int t = begin + cursor.step_offset(step);
    const std::int64_t from =
        cursor.bc + static_cast<std::int64_t>(t) * job.bc_row_stride + element;
    copy_vector(&states.b[step][element], args.b + from, t < job.length);
    copy_vector(&states.c[step][element], args.c + from, t < job.length);
  }
}

// The same for rows of any stride, alignment and number.
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

template <bool vectors, int slices, class T>
__device__ __forceinline__ void stage(const Job<T>& job, const Cursor& cursor, int slice, int lane,
                                      const SliceMemory<T>& memory) {
  if constexpr (vectors) {
    stage_vectors<slices>(job, cursor, slice, lane, memory.rows(), *memory.states());
  } else {
    stage_elements<slices>(job, cursor, slice, lane, memory.rows(), memory.states());
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

// Two lanes share a channel, each with the sums of its own states at 2 * count positions: the whole
// sums of `count` positions each, the lower half of the warp that of the first ones.
template <int count>
__device__ __forceinline__ void join_halves(const float (&y)[2 * count], int half,
                                            float (&sum)[count]) {
#pragma unroll
  for (int i = 0; i < count; ++i) {
    const float give = half == 0 ? y[count + i] : y[i];
    const float keep = half == 0 ? y[i] : y[count + i];
    sum[i] = keep + __shfl_xor_sync(0xffffffffu, give, chain_channels);
  }
}

// Where a lane's outputs go: from one step of a slice on.
template <class T>
struct OutputSteps {
  T* to;
  std::int64_t stride;
  int t;  // position, maybe beyond the end
  int way;

  __device__ void skip(int steps) {
    t += steps * way;
    to += steps * stride;
  }
};

template <int slices, class T>
__device__ __forceinline__ OutputSteps<T> outputs_from(const Job<T>& job, const Cursor& cursor,
                                                       int slice, int own_channel, int step) {
  const int t = cursor.slice_begin<slices>(job, slice) + cursor.step_offset(step);
  const int way = cursor.leftwards ? -1 : 1;
  return {job.args.out + cursor.dense + own_channel + static_cast<std::int64_t>(t) * job.channels,
          static_cast<std::int64_t>(way) * job.channels, t, way};
}

// Skip, the other direction, gate: the outputs of steps [first, first + count) of a slice.
// What is added was rounded when it was stored and so is y: which came first changes nothing.
template <class T, int count>
__device__ __forceinline__ void write_outputs(const Job<T>& job, bool is_live, int own_channel,
                                              float skip, const SliceRows<T>& rows, int first,
                                              float (&y)[count], OutputSteps<T>& outputs) {
  const SelectiveScanArgs<T>& args = job.args;
#pragma unroll
  for (int i = 0; i < count; ++i) {
    y[i] = fmaf(skip, to_float(rows.x[first + i][own_channel]), y[i]);
  }
  if (args.accumulate) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      y[i] = to_float(from_float<T>(y[i])) + to_float(rows.before[first + i][own_channel]);
    }
  }
  if (args.gate != nullptr) {
#pragma unroll
    for (int i = 0; i < count; ++i) y[i] *= silu(to_float(rows.gate[first + i][own_channel]));
  }
#pragma unroll
  for (int i = 0; i < count; ++i) {
    if (is_live && outputs.t < job.length) *outputs.to = from_float<T>(y[i]);
    outputs.skip(1);
  }
}

}  // namespace ssmgen::kernels::cuda
