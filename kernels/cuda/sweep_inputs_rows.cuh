#pragma once
// How what make_inputs (sweep_inputs.cu) works on comes to shared memory, group after group of
// channels, and how u and delta leave: sizes, the weights as they lie in memory, where a warp's
// steps lie.

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/async_copy.cuh"
#include "kernels/cuda/elements.cuh"
#include "kernels/sweep_inputs.hpp"

namespace ssmgen::kernels::cuda::sweep {

inline constexpr int width = 4;          // of the convolution
inline constexpr int states = 16;        // of B and of C
inline constexpr int group = 32;         // channels at a time
inline constexpr int lane_channels = 8;  // of a group
inline constexpr int lane_steps = 4;
inline constexpr int warp_steps = 8 * lane_steps;
inline constexpr int row_tiles = warp_steps / 16;  // of dt's product, where steps are rows

// `dt_tiles`: eights of the rank. How many blocks a multiprocessor has room for and how many groups
// are on their way: measured.
template <int dt_tiles>
struct Sizes {
  static constexpr int p_eights = dt_tiles + 2 * states / 8;
  static constexpr int p_tiles = (p_eights + 1) / 2;  // of 16 outputs of x_proj
  static constexpr int warps = 4;
  static constexpr int threads = warps * 32;
  static constexpr int block_steps = warps * warp_steps;
  static constexpr int blocks = dt_tiles <= 2 ? 4 : 3;
  static constexpr int slots = dt_tiles <= 2 ? 3 : dt_tiles <= 4 ? 4 : 2;
};

// A group's weights for the first part and the second, as they lie in memory.
template <int dt_tiles>
struct ConvWeights {
  float taps[width][group];  // oldest first; times -log2 e, as the bias is
  float bias[group];
  uint4 x_proj[Sizes<dt_tiles>::p_tiles][2][32];  // for each half of a lane's eight channels
};
template <int dt_tiles>
struct TimeWeights {
  float4 bias[4][4];                // times log2 e; of tile j, lane % 4: two channels, twice
  float2 dt_proj[4][dt_tiles][32];  // times log2 e, rounded to TF32: see channel_of
};
template <int dt_tiles>
inline constexpr int slot_bytes = static_cast<int>(std::max(sizeof(ConvWeights<dt_tiles>),
                                                            sizeof(TimeWeights<dt_tiles>)));

// The channel of a group that column `column` of tile `j` is: each lane ends with eight neighbours.
__host__ __device__ constexpr int channel_of(int j, int column) {
  return column / 2 * 8 + j * 2 + column % 2;
}

struct Job {
  SweepInputsArgs args;
  const char* weights = nullptr;  // ConvWeights of all groups, then TimeWeights of all groups
  int channels = 0;
  int length = 0;
  int strips = 0;           // blocks a sequence
  bool keeps_tail = false;  // the last inputs go to carry_out, which is not carry_in
};

inline constexpr int read_steps = lane_steps + width - 1;  // of a lane
inline constexpr int warp_read_steps = warp_steps + width - 1;
// A warp's rows of a group in shared memory; the padding keeps lanes off each other's banks.
inline constexpr int row_elements = group + 8;
using WarpRows = bfloat16[warp_read_steps][row_elements];

// Where a warp's steps lie.
struct WarpSteps {
  const Job& job;
  int first;  // step of the sweep
  int batch;
  bool leftwards;

  __device__ WarpSteps(const Job& job, int first, int batch)
      : job(job),
        first(first),
        batch(batch),
        leftwards((job.args.direction == Direction::right_to_left) !=
                  (batch >= job.args.opposite_from)) {}

  __device__ int way() const { return leftwards ? -1 : 1; }
  // Whether the warp's step `step`, maybe one before the first, is one of the sequence.
  __device__ bool exists(int step) const { return first + step >= 0 && first + step < job.length; }
  __device__ int position(int step) const {
    return leftwards ? job.length - 1 - first - step : first + step;
  }
  // Among the rows of all sequences.
  __device__ std::int64_t row(int step) const {
    return static_cast<std::int64_t>(batch) * job.length + position(step);
  }
};

// By a whole block: the last inputs of its sequence's sweep.
inline __device__ void keep_tail(const Job& job, const WarpSteps& steps) {
  const SweepInputsArgs& args = job.args;
  const int count = (width - 1) * job.channels;
  const std::int64_t tail = static_cast<std::int64_t>(steps.batch) * count;
#pragma unroll 1
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    const int step = job.length - (width - 1) + i / job.channels;
    const int channel = i % job.channels;
    float value = 0.0f;
    if (step >= 0) {
      const std::int64_t t = steps.leftwards ? job.length - 1 - step : step;
      value = to_float(args.x[steps.batch * args.x_batch_stride + t * args.x_row_stride + channel]);
    } else if (args.carry_in != nullptr) {
      value = args.carry_in[tail + (step + width - 1) * job.channels + channel];
    }
    args.carry_out[tail + i] = value;
  }
}

// Brings the weights of group after group to shared memory, and with those of the first part a
// warp's x: eight channels a lane of every eighth step from width - 1 before the first on.
template <int dt_tiles>
class GroupFeed {
 public:
  using Size = Sizes<dt_tiles>;

  __device__ GroupFeed(const WarpSteps& steps, char* memory)
      : job_(steps.job), memory_(memory), left_(2 * (job_.channels / group)) {
    const int thread = static_cast<int>(threadIdx.x);
    const int lane = thread % 32;
    weights_ = job_.weights + thread * 16;
    place_ = (thread / 32 * warp_read_steps + lane / 4) * row_elements + lane % 4 * lane_channels;
    const int step = lane / 4 - (width - 1);
    const SweepInputsArgs& args = job_.args;
    x_ = args.x + steps.batch * args.x_batch_stride + steps.position(step) * args.x_row_stride +
         lane % 4 * lane_channels;
    has_last_ = lane / 4 < warp_read_steps - 8 * (fetched - 1);
    eight_steps_ = 8 * steps.way() * static_cast<int>(args.x_row_stride);
#pragma unroll
    for (int i = 0; i < fetched; ++i) exists_ |= (steps.exists(step + 8 * i) ? 1u : 0u) << i;
    if (args.carry_in != nullptr && steps.first + step < 0) {
      carry_ = args.carry_in +
               (static_cast<std::int64_t>(steps.batch) * (width - 1) + lane / 4) * job_.channels +
               lane % 4 * lane_channels;
    }
  }

  static __device__ char* weights_at(char* memory, int slot) {
    return memory + slot * slot_bytes<dt_tiles>;
  }
  static __device__ WarpRows* rows_at(char* memory, int slot) {
    return reinterpret_cast<WarpRows*>(memory + Size::slots * slot_bytes<dt_tiles>) +
           slot * Size::warps;
  }
  static __device__ int after(int slot) {
    return slot + 1 == Size::slots ? 0 : slot + 1;
  }

  /// The next group to the next slot, as a batch of copies; after the last an empty one.
  __device__ __forceinline__ void next() {
    if (left_ > job_.channels / group) {
      copy_weights<ConvWeights<dt_tiles>>();
      copy_rows();
    } else if (left_ > 0) {
      copy_weights<TimeWeights<dt_tiles>>();
    }
    end_batch();
    slot_ = after(slot_);
    --left_;
  }

 private:
  static constexpr int fetched = (warp_read_steps + 7) / 8;  // rows a lane, the last of some

  template <class Weights>
  __device__ __forceinline__ void copy_weights() {
    constexpr int vectors = static_cast<int>(sizeof(Weights) / 16);
    const int thread = static_cast<int>(threadIdx.x);
    char* to = weights_at(memory_, slot_) + thread * 16;
#pragma unroll
    for (int i = 0; i < vectors; i += Size::threads) {
      if (i + Size::threads <= vectors || thread < vectors - i) {
        copy_vector(to + i * 16, weights_ + i * 16, true);
      }
    }
    weights_ += sizeof(Weights);
  }

  __device__ __forceinline__ void copy_rows() {
    bfloat16* to = &(*rows_at(memory_, slot_))[0][0] + place_;
    const bfloat16* from = x_;
    const bool has_carry = carry_ != nullptr;
#pragma unroll
    for (int i = 0; i < fetched; ++i) {
      const bool is_own = i == 0 ? !has_carry : i + 1 < fetched || has_last_;
      if (is_own) copy_vector(to + 8 * i * row_elements, from, (exists_ >> i & 1u) != 0);
      from += eight_steps_;
    }
    if (has_carry) {
      *reinterpret_cast<uint4*>(to) = {
          bf16_pair(carry_[0], carry_[1]), bf16_pair(carry_[2], carry_[3]),
          bf16_pair(carry_[4], carry_[5]), bf16_pair(carry_[6], carry_[7])};
      carry_ += group;
    }
    x_ += group;
  }

  const Job& job_;
  char* memory_;
  int left_;      // groups of both parts that are to come
  int slot_ = 0;  // of the next
  const char* weights_;
  int place_;                     // of the lane's first vector among the warps' rows
  const bfloat16* x_;             // the next group's, at the lane's first step
  int eight_steps_;               // elements of x
  bool has_last_;                 // whether the last of its rows is one of the warp's
  unsigned exists_ = 0;           // a bit a step
  const float* carry_ = nullptr;  // when the lane's first step lies before the sweep
};

// Where a lane's four steps of u or delta go, group after group.
class LaneRows {
 public:
  __device__ LaneRows(const WarpSteps& steps, bfloat16* to)
      : row_(steps.way() * steps.job.channels) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int step = lane / 4 * lane_steps;
    to_ = to + steps.row(step) * steps.job.channels + lane % 4 * lane_channels;
#pragma unroll
    for (int i = 0; i < lane_steps; ++i) exists_[i] = steps.exists(step + i);
  }

  template <class Store>
  __device__ __forceinline__ void put_group(Store&& store) {
    bfloat16* to = to_;
#pragma unroll
    for (int i = 0; i < lane_steps; ++i) {
      if (exists_[i]) store(i, to);
      to += row_;
    }
    to_ += group;
  }

 private:
  bfloat16* to_;
  int row_;  // elements from a step to the next
  bool exists_[lane_steps];
};

}  // namespace ssmgen::kernels::cuda::sweep
