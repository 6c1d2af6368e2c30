// What the selective scan reads (contract: kernels/sweep_inputs.hpp), in one pass over x: the
// convolution's results go from the registers to memory and, as they are, into tensor cores.
//
// A warp has 32 steps of one sequence, a lane (row, q) = (lane / 4, lane % 4) four neighbouring
// ones, 4 row to 4 row + 3, and of every 32 channels the eight from 8 q on: sixteen bytes of a
// position. Which row of a tile is which step and which k which channel is free as long as both
// operands agree, so the lane convolves just what it must have as the left operand; and its part
// of p is what it must have as the left operand of dt's product.
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
constexpr int row_tiles = warp_steps / 16;

// `dt_tiles`: eights of the rank. How many blocks a multiprocessor has room for and how many groups
// are on their way: measured.
template <int dt_tiles>
struct Sizes {
  static constexpr int p_tiles = dt_tiles + 2 * states / 8;
  static constexpr int warps = 4;
  static constexpr int threads = warps * 32;
  static constexpr int block_steps = warps * warp_steps;
  static constexpr int blocks = dt_tiles <= 2 ? 4 : 3;
  static constexpr int slots = dt_tiles <= 2 ? 3 : dt_tiles <= 4 ? 4 : 2;
};

// A group's weights for the first part and the second, as they lie in memory.
template <int dt_tiles>
struct ConvWeights {
  float taps[width][group];  // oldest first
  float bias[group];
  uint4 x_proj[Sizes<dt_tiles>::p_tiles][32];  // a lane's eight channels of output lane / 4
};
template <int dt_tiles>
struct TimeWeights {
  float bias[group];                // times log2 e
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
  int strips = 0;  // blocks a sequence
};

constexpr int read_steps = lane_steps + width - 1;  // of a lane
constexpr int warp_read_steps = warp_steps + width - 1;
// A warp's rows of a group in shared memory; the padding keeps lanes off each other's banks.
using WarpRows = bfloat16[warp_read_steps][group + 8];

// Where a warp's steps lie and what of them exists.
class WarpSteps {
 public:
  __device__ WarpSteps(const Job& job, int first_step, int batch)
      : first_(first_step), length_(job.length) {
    const SweepInputsArgs& args = job.args;
    const bool leftwards =
        (args.direction == Direction::right_to_left) != (batch >= args.opposite_from);
    way_ = leftwards ? -1 : 1;
    const std::int64_t t = leftwards ? job.length - 1 - first_step : first_step;
    x_step_ = way_ * static_cast<int>(args.x_row_stride);
    row_ = static_cast<std::int64_t>(batch) * job.length + t;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    own_read_ = lane / 4 - (width - 1);
    x_ = args.x + batch * args.x_batch_stride + t * args.x_row_stride + own_read_ * x_step_ +
         lane % 4 * lane_channels;
    if (args.carry_in != nullptr && first_step == 0) {
      carry_ =
          args.carry_in +
          (static_cast<std::int64_t>(batch) * (width - 1) + width - 1 + own_read_) * job.channels +
          lane % 4 * lane_channels;
    }
  }

  __device__ bool exists(int step) const { return first_ + step < length_; }
  // Among the rows of all sequences.
  __device__ std::int64_t row(int step) const { return row_ + way_ * step; }

  // Brings a group's x to shared memory, from width - 1 steps before the first on: zeros where
  // there is none, and what the carry has before the sweep. Each lane eight channels of every
  // eighth step.
  __device__ __forceinline__ void fetch(int channel, WarpRows& to) const {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int i = 0; i < warp_read_steps; i += 8) {
      if (i + 8 > warp_read_steps && lane / 4 >= warp_read_steps - i) break;
      const int step = first_ + own_read_ + i;
      bfloat16* place = &to[lane / 4 + i][lane % 4 * lane_channels];
      if (i == 0 && carry_ != nullptr && step < 0) {
        const float* from = carry_ + channel;
        *reinterpret_cast<uint4*>(place) = {
            bf16_pair(from[0], from[1]), bf16_pair(from[2], from[3]), bf16_pair(from[4], from[5]),
            bf16_pair(from[6], from[7])};
        continue;
      }
      copy_vector(place, x_ + i * x_step_ + channel, step >= 0 && step < length_);
    }
  }

 private:
  int first_;
  int length_;
  int way_;
  int x_step_;
  int own_read_;       // the first step that the lane brings
  const bfloat16* x_;  // there
  const float* carry_ = nullptr;
  std::int64_t row_;
};

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
      y[j] = silu(sum);
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
  // A group's weights and all warps' rows.
  const auto weights_at = [&](int index) {
    return memory + index % Size::slots * slot_bytes<dt_tiles>;
  };
  const auto rows_at = [&](int index) -> WarpRows& {
    return reinterpret_cast<WarpRows*>(
        memory + Size::slots * slot_bytes<dt_tiles>)[index % Size::slots * Size::warps + warp];
  };

  const auto copy = [&]<class Weights>(const Weights* from, char* to) {
    constexpr int vectors = static_cast<int>(sizeof(Weights) / 16);
#pragma unroll
    for (int i = 0; i < vectors; i += Size::threads) {
      const int own = i + static_cast<int>(threadIdx.x);
      if (own < vectors) {
        copy_vector(to + own * 16, reinterpret_cast<const uint4*>(from) + own, true);
      }
    }
  };
  const auto* conv_weights = reinterpret_cast<const ConvWeights<dt_tiles>*>(job.weights);
  const auto* time_weights = reinterpret_cast<const TimeWeights<dt_tiles>*>(conv_weights + groups);
  const auto fetch = [&](int index) {
    if (index < groups) {
      copy(conv_weights + index, weights_at(index));
      steps.fetch(index * group, rows_at(index));
    } else if (index < 2 * groups) {
      copy(time_weights + (index - groups), weights_at(index));
    }
    end_batch();
  };
  // All warps are past the group before: its slot is free again.
  const auto next_weights = [&](int index) {
    wait_for_batches<Size::slots - 2>();
    __syncthreads();
    fetch(index + Size::slots - 1);
  };
  for (int index = 0; index + 1 < Size::slots; ++index) fetch(index);

  float p[row_tiles][Size::p_tiles][4] = {};
  for (int index = 0; index < groups; ++index) {
    next_weights(index);
    const auto& weights = *reinterpret_cast<const ConvWeights<dt_tiles>*>(weights_at(index));
    const WarpRows& rows = rows_at(index);
    uint4 x[read_steps];
#pragma unroll
    for (int i = 0; i < read_steps; ++i) {
      x[i] = *reinterpret_cast<const uint4*>(&rows[first_lane_step + i][q * lane_channels]);
    }
    std::uint32_t u[lane_steps][4];
    convolve(weights, x, q, 0, u);
    convolve(weights, x, q, 1, u);
#pragma unroll
    for (int step = 0; step < lane_steps; ++step) {
      if (!steps.exists(first_lane_step + step)) continue;
      *reinterpret_cast<uint4*>(job.args.u + steps.row(first_lane_step + step) * job.channels +
                                index * group + q * lane_channels) =
          make_uint4(u[step][0], u[step][1], u[step][2], u[step][3]);
    }
#pragma unroll
    for (int j = 0; j < Size::p_tiles; ++j) {
      const uint4 w = weights.x_proj[j][lane];
      const std::uint32_t even[2] = {w.x, w.y};
      const std::uint32_t odd[2] = {w.z, w.w};
#pragma unroll
      for (int tile = 0; tile < row_tiles; ++tile) {
        const auto& upper = u[2 * tile];
        const auto& lower = u[2 * tile + 1];
        multiply_bf16_tile({upper[0], lower[0], upper[1], lower[1]}, even, p[tile][j]);
        multiply_bf16_tile({upper[2], lower[2], upper[3], lower[3]}, odd, p[tile][j]);
      }
    }
  }

  // B and C; the lane has two neighbouring columns of each tile.
  constexpr int columns = 8 * Size::p_tiles;
#pragma unroll
  for (int step = 0; step < lane_steps; ++step) {
    if (!steps.exists(first_lane_step + step)) continue;
    float* to = job.args.p + steps.row(first_lane_step + step) * columns + 2 * q;
#pragma unroll
    for (int j = dt_tiles; j < Size::p_tiles; ++j) {
      *reinterpret_cast<float2*>(to + 8 * j) =
          make_float2(p[step / 2][j][step % 2 * 2], p[step / 2][j][step % 2 * 2 + 1]);
    }
  }

  std::uint32_t in[row_tiles][dt_tiles][4];
#pragma unroll
  for (int tile = 0; tile < row_tiles; ++tile) {
#pragma unroll
    for (int s = 0; s < dt_tiles; ++s) {
      in[tile][s][0] = to_tf32(p[tile][s][0]);
      in[tile][s][1] = to_tf32(p[tile][s][2]);
      in[tile][s][2] = to_tf32(p[tile][s][1]);
      in[tile][s][3] = to_tf32(p[tile][s][3]);
    }
  }
  for (int index = 0; index < groups; ++index) {
    next_weights(groups + index);
    const auto& weights =
        *reinterpret_cast<const TimeWeights<dt_tiles>*>(weights_at(groups + index));
    float start[lane_channels];
    load_vector(&weights.bias[q * 8], reinterpret_cast<float(&)[4]>(start[0]));
    load_vector(&weights.bias[q * 8 + 4], reinterpret_cast<float(&)[4]>(start[4]));
    float y[lane_steps][lane_channels];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      float d[row_tiles][4];
#pragma unroll
      for (int tile = 0; tile < row_tiles; ++tile) {
        d[tile][0] = d[tile][2] = start[2 * j];
        d[tile][1] = d[tile][3] = start[2 * j + 1];
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
#pragma unroll
    for (int step = 0; step < lane_steps; ++step) {
      if (!steps.exists(first_lane_step + step)) continue;
      store_vector(y[step], job.args.delta + steps.row(first_lane_step + step) * job.channels +
                                index * group + q * lane_channels);
    }
  }
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
    if (args.carry_out == nullptr) return;
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
      for (int k = 0; k < width; ++k) to.taps[k][channel] = spec.conv_weight[own * width + k];
      to.bias[channel] = spec.conv_bias != nullptr ? spec.conv_bias[own] : 0.0f;
    }
    for (int j = 0; j < Sizes<dt_tiles>::p_tiles; ++j) {
      for (int lane = 0; lane < 32; ++lane) {
        const float* from = spec.x_proj + (j * 8 + lane / 4) * spec.channels + first_channel +
                            lane % 4 * lane_channels;
        const auto pair = [&](int i) {
          return static_cast<std::uint32_t>(bfloat16(from[i]).bits) |
                 static_cast<std::uint32_t>(bfloat16(from[i + 1]).bits) << 16;
        };
        to.x_proj[j][lane] = make_uint4(pair(0), pair(2), pair(4), pair(6));
      }
    }
  }

  static void fill(const SweepInputsSpec& spec, int first_channel, TimeWeights<dt_tiles>& to) {
    for (int channel = 0; channel < group; ++channel) {
      to.bias[channel] = spec.dt_bias[first_channel + channel] * log2_e;
    }
    for (int j = 0; j < 4; ++j) {
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
