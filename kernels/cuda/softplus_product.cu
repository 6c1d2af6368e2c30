// out = softplus(weight . in + bias) (contract: kernels/product.hpp): some tens of inputs and many
// outputs, so bound by writing them, where a library's product and a pass for softplus would move
// three times the bytes.
//
// bf16 out, on tensor cores: inputs and weight are rounded to TF32, the weight and the bias scaled
// so that softplus is log2(1 + 2^x) ln 2. A block keeps the weight of its channels in shared
// memory; its warps go through the rows, 16 or 32 at a time. Which input a lane has as which k is
// free, as long as both operands agree: each reads neighbours. So is which channel a column is:
// each lane ends with eight neighbours, a store of sixteen bytes. f32 out, and what cannot be read
// in pairs or written in vectors: f32 multiply-adds from tiles in shared memory, the sum in the
// order of the inputs.
#include <algorithm>
#include <string>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/softplus.cuh"
#include "kernels/cuda/softplus_product.hpp"
#include "kernels/cuda/tensor_tiles.cuh"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
struct Job {
  const float* in = nullptr;
  const float* weight = nullptr;  // (outputs, inputs)
  const float* bias = nullptr;    // (outputs) or null
  T* out = nullptr;
  std::int64_t rows = 0;
  std::int64_t in_stride = 0;
  std::int64_t out_stride = 0;
  int inputs = 0;
  int outputs = 0;
};

constexpr int mma_warps = 8;
constexpr int mma_rows = 16;
constexpr int quad_channels = 32;
constexpr int most_weight_bytes = 1 << 16;  // of a block's channels, in shared memory

// `steps`: inputs in eights, an even number. A block has `quads` x 32 channels; its warps go
// through the rows, `tiles` times sixteen at a time.
template <int steps, int tiles>
__global__ void __launch_bounds__(mma_warps * 32)
    on_tensor_cores(const Job<bfloat16> job, int quads) {
#if __CUDA_ARCH__ >= 800
  static_assert(steps % 2 == 0);
  constexpr int pairs = steps / 2;
  // (quad, column eight, pair of steps, lane): what a lane needs of both steps.
  extern __shared__ uint4 weight[];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int q = lane % 4;       // which inputs, and which eight channels of 32 in the end
  const int column = lane / 4;  // of the weight's tile, and row of the inputs'
  const int first_channel = static_cast<int>(blockIdx.y) * quads * quad_channels;
  const int first_input = q * 2 * steps;

  for (int i = static_cast<int>(threadIdx.x); i < quads * 4 * pairs * 32; i += mma_warps * 32) {
    const int its_q = i % 4;
    const int its_column = i / 4 % 8;
    const int pair = i / 32 % pairs;
    const int j = i / (32 * pairs) % 4;
    const int quad = i / (32 * pairs * 4);
    const int channel =
        first_channel + quad * quad_channels + its_column / 2 * 8 + j * 2 + its_column % 2;
    std::uint32_t values[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int input = its_q * 2 * steps + pair * 4 + k;
      const bool exists = channel < job.outputs && input < job.inputs;
      const std::int64_t from = static_cast<std::int64_t>(channel) * job.inputs + input;
      values[k] = to_tf32(exists ? job.weight[from] * log2_e : 0.0f);
    }
    weight[i] = make_uint4(values[0], values[1], values[2], values[3]);
  }
  // Then the bias, as it is.
  auto* bias = reinterpret_cast<float*>(weight + quads * 4 * pairs * 32);
  for (int i = static_cast<int>(threadIdx.x); i < quads * quad_channels; i += mma_warps * 32) {
    const int channel = first_channel + i;
    const bool exists = job.bias != nullptr && channel < job.outputs;
    bias[i] = exists ? job.bias[channel] * log2_e : 0.0f;
  }
  __syncthreads();

  // The inputs of the rows to come are on their way while some are worked on.
  constexpr int warp_rows = tiles * mma_rows;
  float2 raw[2 * tiles][steps];
  const auto read = [&](std::int64_t begin) {
#pragma unroll
    for (int r = 0; r < 2 * tiles; ++r) {
      const std::int64_t row = begin + column + r * 8;
      const auto* from =
          reinterpret_cast<const float2*>(job.in + row * job.in_stride + first_input);
#pragma unroll
      for (int s = 0; s < steps; ++s) {
        const bool exists = row < job.rows && first_input + 2 * s < job.inputs;
        raw[r][s] = exists ? from[s] : make_float2(0.0f, 0.0f);
      }
    }
  };
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * mma_warps * warp_rows;
  std::int64_t begin = (static_cast<std::int64_t>(blockIdx.x) * mma_warps + warp) * warp_rows;
  read(begin);
  for (; begin < job.rows; begin += stride) {
    std::uint32_t in[tiles][steps][4];
#pragma unroll
    for (int s = 0; s < steps; ++s) {
#pragma unroll
      for (int r = 0; r < 2 * tiles; ++r) {
        in[r / 2][s][r % 2] = to_tf32(raw[r][s].x);
        in[r / 2][s][2 + r % 2] = to_tf32(raw[r][s].y);
      }
    }
    read(begin + stride);
    bfloat16* out = job.out + (begin + column) * job.out_stride + first_channel + q * 8;
#pragma unroll 1
    for (int quad = 0; quad < quads; ++quad) {
      float start[8];
      load_vector(bias + quad * quad_channels + q * 8, reinterpret_cast<float(&)[4]>(start[0]));
      load_vector(bias + quad * quad_channels + q * 8 + 4, reinterpret_cast<float(&)[4]>(start[4]));
      float y[2 * tiles][8];  // rows `column`, `column + 8`, ...
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        float d[tiles][4];
#pragma unroll
        for (int tile = 0; tile < tiles; ++tile) {
          d[tile][0] = d[tile][2] = start[2 * j];
          d[tile][1] = d[tile][3] = start[2 * j + 1];
        }
#pragma unroll
        for (int pair = 0; pair < pairs; ++pair) {
          const uint4 w = weight[((quad * 4 + j) * pairs + pair) * 32 + lane];
          const std::uint32_t even[2] = {w.x, w.y};
          const std::uint32_t odd[2] = {w.z, w.w};
#pragma unroll
          for (int tile = 0; tile < tiles; ++tile) {
            multiply_tile(in[tile][2 * pair], even, d[tile]);
            multiply_tile(in[tile][2 * pair + 1], odd, d[tile]);
          }
        }
#pragma unroll
        for (int r = 0; r < 2 * tiles; ++r) {
          y[r][2 * j] = softplus_from_log2(d[r / 2][r % 2 * 2]);
          y[r][2 * j + 1] = softplus_from_log2(d[r / 2][r % 2 * 2 + 1]);
        }
      }
      if (first_channel + quad * quad_channels + q * 8 >= job.outputs) continue;
#pragma unroll
      for (int r = 0; r < 2 * tiles; ++r) {
        if (begin + column + r * 8 < job.rows) {
          store_vector(y[r], out + r * 8 * job.out_stride + quad * quad_channels);
        }
      }
    }
  }
#endif
}

constexpr int tile_threads = 256;
constexpr int tile_channels = 128;
constexpr int tile_rows = 32;
constexpr int tile_inputs = 16;
constexpr int thread_channels = 4;
constexpr int thread_rows = tile_rows * tile_channels / tile_threads / thread_channels;

template <class T>
__global__ void __launch_bounds__(tile_threads) in_f32(const Job<T> job) {
  __shared__ float weight[tile_inputs][tile_channels + 4];
  __shared__ float in[tile_rows][tile_inputs];
  const int thread = static_cast<int>(threadIdx.x);
  const int channel_slot = thread % (tile_channels / thread_channels) * thread_channels;
  const int row_slot = thread / (tile_channels / thread_channels) * thread_rows;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.x) * tile_rows;
  const int first_channel = static_cast<int>(blockIdx.y) * tile_channels;
  float sum[thread_rows][thread_channels] = {};
  for (int begin = 0; begin < job.inputs; begin += tile_inputs) {
    __syncthreads();
    for (int i = thread; i < tile_inputs * tile_channels; i += tile_threads) {
      const int channel = first_channel + i / tile_inputs;
      const int input = begin + i % tile_inputs;
      weight[i % tile_inputs][i / tile_inputs] =
          channel < job.outputs && input < job.inputs
              ? job.weight[static_cast<std::int64_t>(channel) * job.inputs + input]
              : 0.0f;
    }
    for (int i = thread; i < tile_rows * tile_inputs; i += tile_threads) {
      const std::int64_t row = first_row + i / tile_inputs;
      const int input = begin + i % tile_inputs;
      in[i / tile_inputs][i % tile_inputs] =
          row < job.rows && input < job.inputs ? job.in[row * job.in_stride + input] : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < tile_inputs; ++k) {
      const float4 w = *reinterpret_cast<const float4*>(&weight[k][channel_slot]);
#pragma unroll
      for (int r = 0; r < thread_rows; ++r) {
        const float value = in[row_slot + r][k];
        sum[r][0] = fmaf(w.x, value, sum[r][0]);
        sum[r][1] = fmaf(w.y, value, sum[r][1]);
        sum[r][2] = fmaf(w.z, value, sum[r][2]);
        sum[r][3] = fmaf(w.w, value, sum[r][3]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < thread_rows; ++r) {
    const std::int64_t row = first_row + row_slot + r;
    if (row >= job.rows) return;
#pragma unroll
    for (int j = 0; j < thread_channels; ++j) {
      const int channel = first_channel + channel_slot + j;
      if (channel >= job.outputs) break;
      const float bias = job.bias != nullptr ? job.bias[channel] : 0.0f;
      job.out[row * job.out_stride + channel] = from_float<T>(softplus(sum[r][j] + bias));
    }
  }
}

template <class T>
void run_in_f32(cudaStream_t stream, const Job<T>& job) {
  const dim3 grid(static_cast<unsigned>((job.rows + tile_rows - 1) / tile_rows),
                  static_cast<unsigned>((job.outputs + tile_channels - 1) / tile_channels));
  in_f32<T><<<grid, tile_threads, 0, stream>>>(job);
}

template <int steps, int tiles>
void run_on_tensor_cores(cudaStream_t stream, const Job<bfloat16>& job) {
  constexpr int quad_bytes = quad_channels * steps * 8 * static_cast<int>(sizeof(float));
  const int all = (job.outputs + quad_channels - 1) / quad_channels;
  const int quads = std::min(all, most_weight_bytes / quad_bytes);
  const auto kernel = on_tensor_cores<steps, tiles>;
  const std::size_t bytes =
      static_cast<std::size_t>(quads) * (quad_bytes + quad_channels * sizeof(float));
  allow_shared_memory(kernel, bytes, "product with softplus");
  // As many blocks as the card runs at once, each with rows enough to be worth its weight.
  const int multiprocessors = current_attribute(cudaDevAttrMultiProcessorCount);
  int at_once = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&at_once, kernel, mma_warps * 32, bytes),
        "product with softplus: occupancy");
  const int groups = (all + quads - 1) / quads;
  constexpr int rows_at_a_time = mma_warps * tiles * mma_rows;
  const std::int64_t wanted = (job.rows + rows_at_a_time - 1) / rows_at_a_time;
  const std::int64_t most = std::max(1, multiprocessors * at_once / groups);
  const dim3 grid(static_cast<unsigned>(std::min(wanted, most)), static_cast<unsigned>(groups));
  kernel<<<grid, mma_warps * 32, bytes, stream>>>(job, quads);
}

class SoftplusProduct final : public CudaPreparedProduct {
 public:
  explicit SoftplusProduct(const ProductSpec& spec)
      : inputs_(static_cast<int>(spec.inputs)),
        outputs_(static_cast<int>(spec.outputs)),
        out_(spec.out),
        weight_(spec.weight, spec.inputs * spec.outputs, Dtype::f32),
        bias_(spec.bias, spec.bias != nullptr ? spec.outputs : 0, Dtype::f32) {
    major_ = current_attribute(cudaDevAttrComputeCapabilityMajor);
  }

  void run(cudaStream_t stream, const ProductArgs& args) const override {
    if (args.rows == 0) return;
    if (out_ == Dtype::f32) {
      run_in_f32(stream, job_of<float>(args));
    } else if (fits_tensor_cores(args)) {
      const Job<bfloat16> job = job_of<bfloat16>(args);
      if (inputs_ <= 16) {
        run_on_tensor_cores<2, 2>(stream, job);
      } else if (inputs_ <= 32) {
        run_on_tensor_cores<4, 2>(stream, job);
      } else if (inputs_ <= 48) {
        run_on_tensor_cores<6, 1>(stream, job);
      } else if (inputs_ <= 64) {
        run_on_tensor_cores<8, 1>(stream, job);
      } else {
        run_on_tensor_cores<16, 1>(stream, job);
      }
    } else {
      run_in_f32(stream, job_of<bfloat16>(args));
    }
    check_launch("product with softplus");
  }

 private:
  template <class T>
  Job<T> job_of(const ProductArgs& args) const {
    return {static_cast<const float*>(args.in),
            static_cast<const float*>(weight_.data()),
            static_cast<const float*>(bias_.data()),
            static_cast<T*>(args.out),
            args.rows,
            args.in_row_stride,
            args.out_row_stride,
            inputs_,
            outputs_};
  }

  bool fits_tensor_cores(const ProductArgs& args) const {
    constexpr int most_inputs = 128;
    return major_ >= 8 && inputs_ <= most_inputs && inputs_ % 2 == 0 && outputs_ % 8 == 0 &&
           args.in_row_stride % 2 == 0 && reinterpret_cast<std::uintptr_t>(args.in) % 8 == 0 &&
           is_vector_aligned(static_cast<const bfloat16*>(args.out), args.out_row_stride);
  }

  int inputs_;
  int outputs_;
  Dtype out_;
  int major_ = 0;
  DeviceValues weight_;
  DeviceValues bias_;
};

}  // namespace

std::unique_ptr<CudaPreparedProduct> prepare_softplus_product(const ProductSpec& spec) {
  if (spec.in != Dtype::f32) {
    throw InvalidArgument("a product with softplus reads f32, not " +
                          std::string(dtype_name(spec.in)));
  }
  return std::make_unique<SoftplusProduct>(spec);
}

}  // namespace ssmgen::kernels::cuda
