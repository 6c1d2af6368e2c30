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
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda/causal_conv.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/softplus.cuh"
#include "kernels/cuda/sweep_inputs.hpp"
#include "kernels/cuda/sweep_inputs_rows.cuh"
#include "kernels/cuda/tensor_tiles.cuh"

namespace ssmgen::kernels::cuda {
namespace {

using namespace sweep;

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
      widen_pair(words[j], reinterpret_cast<float(&)[2]>(value[i][2 * j]));
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
    allow_shared_memory(make_inputs<dt_tiles>, shared_bytes<dt_tiles>, "sweep_inputs");
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
  if (current_attribute(cudaDevAttrComputeCapabilityMajor) < 8 || spec.type != Dtype::bf16 ||
      spec.states != states || spec.width != width || spec.channels % group != 0) {
    return nullptr;
  }
  return prepare_for(spec, std::integer_sequence<int, 1, 2, 3, 4, 6, 8>());
}

void sweep_inputs(cudaStream_t stream, const SweepInputsArgs& args) {
  if (args.batch == 0 || args.length == 0) return;
  static_cast<const FusedSweepInputs*>(args.prepared)->run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
