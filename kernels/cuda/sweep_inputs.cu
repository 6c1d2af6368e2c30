// What the selective scan reads (contract: kernels/sweep_inputs.hpp), in one pass over x: the
// convolution's results go from the registers to memory and, as they are, into tensor cores.
//
// A warp has 32 steps of one sequence, a lane (row, q) = (lane / 4, lane % 4) four neighbouring
// ones, 4 row to 4 row + 3, and of every 32 channels the eight from 8 q on: sixteen bytes of a
// position. Which column of a tile is which step and which k which channel is free as long as both
// operands agree, so what the lane convolves and stores is, register by register, the right
// operand of (outputs x channels) . (channels x steps).
//
// First every 32 channels: convolve, store u, multiply with x_proj; then p is there, and every 32
// channels of delta. The weights of 32 channels, in the order in which lanes want them, and x
// come to shared memory by asynchronous copies some groups ahead.
#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda/async_copy.cuh"
#include "kernels/cuda/causal_conv.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/softplus.cuh"
#include "kernels/cuda/sweep_inputs.hpp"
#include "kernels/cuda/tensor_tiles.cuh"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int width = 4;          // of the convolution
constexpr int states = 16;        // of B and of C
constexpr int group = 32;         // channels at a time
constexpr int lane_channels = 8;  // of a group
constexpr int lane_steps = 4;
constexpr int warp_steps = 8 * lane_steps;
constexpr int row_tiles = warp_steps / 16;  // of dt's product, where steps are rows

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
constexpr int slot_bytes = static_cast<int>(std::max(sizeof(ConvWeights<dt_tiles>),
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

constexpr int read_steps = lane_steps + width - 1;  // of a lane
constexpr int warp_read_steps = warp_steps + width - 1;
// A warp's rows of a group in shared memory; the padding keeps lanes off each other's banks.
using WarpRows = bfloat16[warp_read_steps][group + 8];

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
__device__ void keep_tail(const Job& job, const WarpSteps& steps) {
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
  static constexpr int row_elements = group + 8;

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

// s / (1 + e^-s) of z = -s log2 e.
__device__ __forceinline__ float silu_from_log2(float z) {
  return z * reciprocal_fast(fmaf(exp2_fast(z), -log2_e, -log2_e));
}

// u of a lane's steps, as pairs of bf16: four channels from `half` * 4 on.
template <int dt_tiles>
__device__ __forceinline__ void convolve(const ConvWeights<dt_tiles>& weights,
                                         const uint4 (&x)[read_steps], int q, int half,
                                         std::uint32_t (&u)[lane_steps][4]) {
  constexpr int count = lane_channels / 2;
  const int first = q * lane_channels + half * count;
  float tap[width][count];
  float bias[count];
#pragma unroll
  for (int k = 0; k < width; ++k) load_vector(&weights.taps[k][first], tap[k]);
  load_vector(&weights.bias[first], bias);
  float value[read_steps][count];
#pragma unroll
  for (int i = 0; i < read_steps; ++i) {
    const std::uint32_t words[2] = {half == 0 ? x[i].x : x[i].z, half == 0 ? x[i].y : x[i].w};
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      value[i][2 * j] = __uint_as_float(words[j] << 16);
      value[i][2 * j + 1] = __uint_as_float(words[j] & 0xffff0000u);
    }
  }
#pragma unroll
  for (int step = 0; step < lane_steps; ++step) {
    float y[count];
#pragma unroll
    for (int j = 0; j < count; ++j) {
      float sum = bias[j];
#pragma unroll
      for (int k = 0; k < width; ++k) sum = fmaf(tap[k][j], value[step + k][j], sum);
      y[j] = silu_from_log2(sum);
    }
    u[step][2 * half] = bf16_pair(y[0], y[1]);
    u[step][2 * half + 1] = bf16_pair(y[2], y[3]);
  }
}

// Called from sm_80 on.
template <int dt_tiles>
__global__ void __launch_bounds__(Sizes<dt_tiles>::threads, Sizes<dt_tiles>::blocks)
    make_inputs(const __grid_constant__ Job job) {
  using Size = Sizes<dt_tiles>;
  extern __shared__ __align__(16) char memory[];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int q = lane % 4;
  const int groups = job.channels / group;
  const int batch = static_cast<int>(blockIdx.x) / job.strips;
  const int strip = static_cast<int>(blockIdx.x) - batch * job.strips;
  const int first_lane_step = lane / 4 * lane_steps;
  const WarpSteps steps(job, strip * Size::block_steps + warp * warp_steps, batch);
  using Feed = GroupFeed<dt_tiles>;
  Feed feed(steps, memory);
  for (int i = 0; i + 1 < Size::slots; ++i) feed.next();
  // A group's weights and x are there; all warps are past the group before: its slot is free again.
  const auto wait_for_group = [&] {
    wait_for_batches<Size::slots - 2>();
    __syncthreads();
    feed.next();
  };

  int slot = 0;
  LaneRows u_rows(steps, job.args.u);
  float p[Size::p_tiles][lane_steps][4] = {};
  for (int index = 0; index < groups; ++index, slot = Feed::after(slot)) {
    wait_for_group();
    const auto& weights =
        *reinterpret_cast<const ConvWeights<dt_tiles>*>(Feed::weights_at(memory, slot));
    const WarpRows& rows = Feed::rows_at(memory, slot)[warp];
    uint4 x[read_steps];
#pragma unroll
    for (int i = 0; i < read_steps; ++i) {
      x[i] = *reinterpret_cast<const uint4*>(&rows[first_lane_step + i][q * lane_channels]);
    }
    std::uint32_t u[lane_steps][4];
    convolve(weights, x, q, 0, u);
    convolve(weights, x, q, 1, u);
    u_rows.put_group([&](int step, bfloat16* to) {
      *reinterpret_cast<uint4*>(to) = make_uint4(u[step][0], u[step][1], u[step][2], u[step][3]);
    });
#pragma unroll
    for (int j = 0; j < Size::p_tiles; ++j) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const uint4 w = weights.x_proj[j][half][lane];
#pragma unroll
        for (int step = 0; step < lane_steps; ++step) {
          multiply_bf16_tile({w.x, w.y, w.z, w.w}, {u[step][2 * half], u[step][2 * half + 1]},
                             p[j][step]);
        }
      }
    }
  }

  // Of the warp's steps 4 n + `step` the lane has columns n = 2 q + `column`, and of each eight of
  // p's outputs the one at lane / 4.
  const auto step_of = [&](int step, int column) { return lane_steps * (2 * q + column) + step; };
  const auto p_of = [&](int eight, int step, int column) {
    return p[eight / 2][step][eight % 2 * 2 + column];
  };
  // B and C.
#pragma unroll
  for (int step = 0; step < lane_steps; ++step) {
#pragma unroll
    for (int column = 0; column < 2; ++column) {
      if (!steps.exists(step_of(step, column))) continue;
      float* to = job.args.p + steps.row(step_of(step, column)) * (8 * Size::p_eights) + lane / 4;
#pragma unroll
      for (int eight = dt_tiles; eight < Size::p_eights; ++eight) {
        to[8 * eight] = p_of(eight, step, column);
      }
    }
  }

  // The rank's outputs as the left operand of dt's product, steps as rows: by way of the warp's own
  // rows of x, which nobody needs any more.
  std::uint32_t in[row_tiles][dt_tiles][4];
  using Eight = float[warp_steps][10];  // and padding
  static_assert(sizeof(Eight) <= sizeof(WarpRows));
  auto& turned = reinterpret_cast<Eight&>(Feed::rows_at(memory, 0)[warp]);
#pragma unroll
  for (int eight = 0; eight < dt_tiles; ++eight) {
    __syncwarp();
#pragma unroll
    for (int step = 0; step < lane_steps; ++step) {
#pragma unroll
      for (int column = 0; column < 2; ++column) {
        turned[step_of(step, column)][lane / 4] = p_of(eight, step, column);
      }
    }
    __syncwarp();
#pragma unroll
    for (int step = 0; step < lane_steps; ++step) {
      float pair[2];
      get_pair(&turned[first_lane_step + step][2 * q], pair);
      in[step / 2][eight][step % 2] = to_tf32(pair[0]);
      in[step / 2][eight][step % 2 + 2] = to_tf32(pair[1]);
    }
  }

  LaneRows delta_rows(steps, job.args.delta);
  for (int index = 0; index < groups; ++index, slot = Feed::after(slot)) {
    wait_for_group();
    const auto& weights =
        *reinterpret_cast<const TimeWeights<dt_tiles>*>(Feed::weights_at(memory, slot));
    float y[lane_steps][lane_channels];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float4 bias = weights.bias[j][q];
      float d[row_tiles][4];
#pragma unroll
      for (int tile = 0; tile < row_tiles; ++tile) {
        d[tile][0] = bias.x;
        d[tile][1] = bias.y;
        d[tile][2] = bias.z;
        d[tile][3] = bias.w;
      }
#pragma unroll
      for (int s = 0; s < dt_tiles; ++s) {
        const float2 w = weights.dt_proj[j][s][lane];
        const std::uint32_t right[2] = {__float_as_uint(w.x), __float_as_uint(w.y)};
#pragma unroll
        for (int tile = 0; tile < row_tiles; ++tile) multiply_tile(in[tile][s], right, d[tile]);
      }
#pragma unroll
      for (int step = 0; step < lane_steps; ++step) {
        y[step][2 * j] = softplus_from_log2(d[step / 2][step % 2 * 2]);
        y[step][2 * j + 1] = softplus_from_log2(d[step / 2][step % 2 * 2 + 1]);
      }
    }
    delta_rows.put_group([&](int step, bfloat16* to) { store_vector(y[step], to); });
  }
  if (job.keeps_tail && strip + 1 == job.strips) keep_tail(job, steps);
}

template <int dt_tiles>
constexpr int shared_bytes = Sizes<dt_tiles>::slots*(slot_bytes<dt_tiles> +
                                                     Sizes<dt_tiles>::warps *
                                                         static_cast<int>(sizeof(WarpRows)));

class FusedSweepInputs : public PreparedSweepInputs {
 public:
  virtual void run(cudaStream_t stream, const SweepInputsArgs& args) const = 0;
};

template <int dt_tiles>
class FusedFor final : public FusedSweepInputs {
 public:
  explicit FusedFor(const SweepInputsSpec& spec) : channels_(static_cast<int>(spec.channels)) {
    check(cudaFuncSetAttribute(make_inputs<dt_tiles>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               shared_bytes<dt_tiles>),
          "sweep_inputs: shared memory");
    const int groups = channels_ / group;
    std::vector<ConvWeights<dt_tiles>> first(static_cast<std::size_t>(groups));
    std::vector<TimeWeights<dt_tiles>> second(static_cast<std::size_t>(groups));
    for (int index = 0; index < groups; ++index) {
      fill(spec, index * group, first[static_cast<std::size_t>(index)]);
      fill(spec, index * group, second[static_cast<std::size_t>(index)]);
    }
    const std::size_t first_bytes = first.size() * sizeof(first[0]);
    const std::size_t second_bytes = second.size() * sizeof(second[0]);
    check(cudaMalloc(&weights_, first_bytes + second_bytes), "weights of a sweep's inputs");
    auto* to = static_cast<char*>(weights_);
    check(cudaMemcpy(to, first.data(), first_bytes, cudaMemcpyHostToDevice), "weight upload");
    check(cudaMemcpy(to + first_bytes, second.data(), second_bytes, cudaMemcpyHostToDevice),
          "weight upload");
  }
  ~FusedFor() override { cudaFree(weights_); }

  void run(cudaStream_t stream, const SweepInputsArgs& args) const override {
    Job job;
    job.args = args;
    job.weights = static_cast<const char*>(weights_);
    job.channels = channels_;
    job.length = static_cast<int>(args.length);
    job.strips = static_cast<int>((args.length + Sizes<dt_tiles>::block_steps - 1) /
                                  Sizes<dt_tiles>::block_steps);
    job.keeps_tail = args.carry_out != nullptr && args.carry_out != args.carry_in;
    const std::int64_t blocks = args.batch * job.strips;
    if (!is_vector_aligned(args.x, args.x_row_stride) || args.x_batch_stride % 8 != 0) {
      throw InvalidArgument("sweep_inputs: the rows of x must be aligned to 16 bytes");
    }
    if (args.length > INT32_MAX / 2 || blocks > INT32_MAX) {
      throw InvalidArgument("sweep_inputs: " + std::to_string(args.batch) + " sequences of " +
                            std::to_string(args.length) +
                            " positions are too many for one call: use a smaller --chunk or "
                            "--batch");
    }
    make_inputs<dt_tiles><<<static_cast<unsigned>(blocks), Sizes<dt_tiles>::threads,
                            shared_bytes<dt_tiles>, stream>>>(job);
    check_launch("sweep_inputs");
    if (args.carry_out == nullptr || job.keeps_tail) return;
    CausalConvArgs<bfloat16> conv;
    conv.in = args.x;
    conv.in_batch_stride = args.x_batch_stride;
    conv.in_row_stride = args.x_row_stride;
    conv.carry_in = args.carry_in;
    conv.carry_out = args.carry_out;
    conv.batch = args.batch;
    conv.opposite_from = args.opposite_from;
    conv.length = args.length;
    conv.channels = channels_;
    conv.width = width;
    conv.direction = args.direction;
    keep_last_inputs(stream, conv);
  }

 private:
  static void fill(const SweepInputsSpec& spec, int first_channel, ConvWeights<dt_tiles>& to) {
    for (int channel = 0; channel < group; ++channel) {
      const std::int64_t own = first_channel + channel;
      for (int k = 0; k < width; ++k) {
        to.taps[k][channel] = spec.conv_weight[own * width + k] * -log2_e;
      }
      to.bias[channel] = spec.conv_bias != nullptr ? spec.conv_bias[own] * -log2_e : 0.0f;
    }
    // Of output `output`, zeros for those that fill the last tile, two channels from `channel` on.
    const auto pair = [&](int output, int channel) {
      if (output >= 8 * Sizes<dt_tiles>::p_eights) return std::uint32_t{0};
      const float* from = spec.x_proj + output * spec.channels + first_channel + channel;
      return static_cast<std::uint32_t>(bfloat16(from[0]).bits) |
             static_cast<std::uint32_t>(bfloat16(from[1]).bits) << 16;
    };
    for (int j = 0; j < Sizes<dt_tiles>::p_tiles; ++j) {
      for (int half = 0; half < 2; ++half) {
        for (int lane = 0; lane < 32; ++lane) {
          const int output = 16 * j + lane / 4;
          const int channel = lane % 4 * lane_channels + half * lane_channels / 2;
          to.x_proj[j][half][lane] =
              make_uint4(pair(output, channel), pair(output + 8, channel),
                         pair(output, channel + 2), pair(output + 8, channel + 2));
        }
      }
    }
  }

  static void fill(const SweepInputsSpec& spec, int first_channel, TimeWeights<dt_tiles>& to) {
    for (int j = 0; j < 4; ++j) {
      for (int q = 0; q < 4; ++q) {
        const float* from = spec.dt_bias + first_channel + channel_of(j, 2 * q);
        const float first = from[0] * log2_e;
        const float second = from[1] * log2_e;
        to.bias[j][q] = make_float4(first, second, first, second);
      }
      for (int s = 0; s < dt_tiles; ++s) {
        for (int lane = 0; lane < 32; ++lane) {
          const std::int64_t channel = first_channel + channel_of(j, lane / 4);
          const float* from = spec.dt_proj + channel * spec.rank + s * 8 + lane % 4 * 2;
          to.dt_proj[j][s][lane] = make_float2(round_to_tf32_on_host(from[0] * log2_e),
                                               round_to_tf32_on_host(from[1] * log2_e));
        }
      }
    }
  }

  int channels_;
  void* weights_ = nullptr;
};

template <int... tiles>
std::unique_ptr<PreparedSweepInputs> prepare_for(const SweepInputsSpec& spec,
                                                 std::integer_sequence<int, tiles...>) {
  std::unique_ptr<PreparedSweepInputs> result;
  ((spec.rank == tiles * 8 ? (result = std::make_unique<FusedFor<tiles>>(spec), 0) : 0), ...);
  return result;
}

}  // namespace

std::unique_ptr<PreparedSweepInputs> prepare_sweep_inputs(const SweepInputsSpec& spec) {
  int device = 0;
  int major = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "device");
  if (major < 8 || spec.type != Dtype::bf16 || spec.states != states || spec.width != width ||
      spec.channels % group != 0) {
    return nullptr;
  }
  return prepare_for(spec, std::integer_sequence<int, 1, 2, 3, 4, 6, 8>());
}

void sweep_inputs(cudaStream_t stream, const SweepInputsArgs& args) {
  if (args.batch == 0 || args.length == 0) return;
  static_cast<const FusedSweepInputs*>(args.prepared)->run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
