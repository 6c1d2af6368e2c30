// The convolution with a carried state (contract: kernels/state_convolution.hpp). Blocks of 256
// positions side by side:
//   added    what each block adds to the state, by in_table
//   chain    the states before each block, by decay; a block of threads a channel
//   taps     real FFTs of 512 points by cuFFT, a fixed number of rows a time; their spectra are
//            made anew in each call, which costs a block's time
//   output   what the FFTs gave, and by out_table what the state before the block gives
// Lanes are channels but in the FFT, whose rows are transposed through shared memory. A table's
// value serves several blocks at once. Every sum runs in its table's order whatever stands beside.
// Traffic: about 70 bytes a position and channel through the FFT, which mostly stay in L2.
#include <algorithm>
#include <string>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/state_convolution.hpp"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int block = static_cast<int>(convolution_block);
constexpr int points = 2 * block;
constexpr int frequencies = points / 2 + 1;
constexpr int lanes = 32;    // channels of a block of threads
constexpr int rows = 8;      // the other dimension of a block of threads
constexpr int together = 4;  // blocks of positions that share what is read of a table
// Rows of one FFT call, about: 16 MB of them stay in L2 beside their spectra.
constexpr int transforms_together = 8192;

void check_fft(cufftResult code, const char* what) {
  if (code == CUFFT_SUCCESS) return;
  throw DeviceError("cuFFT: " + std::string(what) + ": error " +
                    std::to_string(static_cast<int>(code)));
}

/// Memory of one call, in stream order.
class CallMemory {
 public:
  CallMemory(cudaStream_t stream, std::size_t bytes) : stream_(stream) {
    check(cudaMallocAsync(&data_, std::max<std::size_t>(bytes, 256), stream),
          "memory of a convolution");
  }
  CallMemory(const CallMemory&) = delete;
  CallMemory& operator=(const CallMemory&) = delete;
  ~CallMemory() { cudaFreeAsync(data_, stream_); }

  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  cudaStream_t stream_;
  void* data_ = nullptr;
};

/// Where a block of positions lies: numbered over the batch, sequence by sequence.
template <class T>
struct BlockPlace {
  const StateConvolutionArgs<T>& args;
  std::int64_t blocks;  // of a sequence

  __device__ std::int64_t count() const { return args.batch * blocks; }
  /// The element of in and out at a slot in sweep order; -1 past the sequence's end.
  __device__ std::int64_t element(std::int64_t number, int slot, std::int64_t channel) const {
    const bool rightwards = args.direction == Direction::left_to_right;
    const std::int64_t t = number % blocks * block + (rightwards ? slot : block - 1 - slot);
    if (t >= args.length) return -1;
    return (number / blocks * args.length + t) * args.channels + channel;
  }
};

/// The channel's column of a table of panels; its rows lie convolution_panel apart.
__device__ __forceinline__ const float* table_column(const float* table, std::int64_t rows_of_table,
                                                     std::int64_t channel) {
  return table + channel / convolution_panel * rows_of_table * convolution_panel +
         channel % convolution_panel;
}

/// added[block][j] = sum_s in_table[s][j] * u[s]; a thread: one channel, two states, four blocks.
template <class T>
__global__ void add_inputs(const StateConvolutionArgs<T> args, std::int64_t blocks, float* states) {
  const BlockPlace<T> place{args, blocks};
  const std::int64_t channel = static_cast<std::int64_t>(blockIdx.z) * lanes + threadIdx.x;
  if (channel >= args.channels) return;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * together;
  const std::int64_t j0 = (static_cast<std::int64_t>(blockIdx.y) * rows + threadIdx.y) * 2;
  if (j0 >= args.states) return;
  const std::int64_t j1 = min(j0 + 1, args.states - 1);
  const float* table = table_column(args.in_table, block * args.states, channel);
  float sum[2][together] = {};
  for (int s = 0; s < block; ++s) {
    const float g0 = table[(s * args.states + j0) * convolution_panel];
    const float g1 = table[(s * args.states + j1) * convolution_panel];
#pragma unroll
    for (int k = 0; k < together; ++k) {
      const std::int64_t at = first + k < place.count() ? place.element(first + k, s, channel) : -1;
      const float u = at >= 0 ? to_float(args.in[at]) : 0.0f;
      sum[0][k] = fmaf(g0, u, sum[0][k]);
      sum[1][k] = fmaf(g1, u, sum[1][k]);
    }
  }
#pragma unroll
  for (int k = 0; k < together; ++k) {
    if (first + k >= place.count()) break;
    float* to = states + (first + k) * args.states * args.channels + channel;
    to[j0 * args.channels] = sum[0][k];
    if (j0 + 1 < args.states) to[j1 * args.channels] = sum[1][k];
  }
}

/// states[block] := the state before the block; a thread a state, a block of threads a channel.
/// `held` of a row of decay stand in registers, the rest is read each time.
template <int held, class T>
__global__ void __launch_bounds__(held <= 32 ? 1024 : 128)
    chain_blocks(const StateConvolutionArgs<T> args, std::int64_t blocks, float* states) {
  extern __shared__ float x[];
  const std::int64_t channel = blockIdx.x;
  const std::int64_t sequence = blockIdx.y;
  const auto j = static_cast<std::int64_t>(threadIdx.x);
  const bool exists = j < args.states;
  const bool rightwards = args.direction == Direction::left_to_right;
  const float* decay = table_column(args.decay, args.states * args.states, channel) +
                       j * args.states * convolution_panel;
  float row[held];
#pragma unroll
  for (int i = 0; i < held; ++i) {
    row[i] = exists && i < args.states ? decay[i * convolution_panel] : 0.0f;
  }
  const std::int64_t own = j * args.channels + channel;
  const std::int64_t size = args.states * args.channels;
  float value = exists && args.state_in != nullptr ? args.state_in[sequence * size + own] : 0.0f;
  const auto block_at = [&](std::int64_t step) {
    return states + (sequence * blocks + (rightwards ? step : blocks - 1 - step)) * size + own;
  };
  float added = exists ? *block_at(0) : 0.0f;
  for (std::int64_t step = 0; step < blocks; ++step) {
    x[j] = value;
    __syncthreads();
    // What the next block adds is on its way while this one's state is worked out.
    const float next = exists && step + 1 < blocks ? *block_at(step + 1) : 0.0f;
    if (exists) *block_at(step) = value;
    float sum = added;
#pragma unroll
    for (int i = 0; i < held; ++i) {
      if (i < args.states) sum = fmaf(row[i], x[i], sum);
    }
    for (std::int64_t i = held; exists && i < args.states; ++i) {
      sum = fmaf(decay[i * convolution_panel], x[i], sum);
    }
    added = next;
    value = sum;
    __syncthreads();
  }
  if (exists && args.state_out != nullptr) args.state_out[sequence * size + own] = value;
}

/// Inputs of blocks [first, first + count) as rows (block, channel) of 512, the second half zeros.
template <class T>
__global__ void spread_inputs(const StateConvolutionArgs<T> args, std::int64_t blocks,
                              std::int64_t first, float* real) {
  __shared__ float tile[lanes][lanes + 1];
  const BlockPlace<T> place{args, blocks};
  const std::int64_t number = first + blockIdx.z;
  const std::int64_t channel0 = static_cast<std::int64_t>(blockIdx.x) * lanes;
  const int slot0 = static_cast<int>(blockIdx.y) * lanes;
  for (int r = static_cast<int>(threadIdx.y); r < lanes; r += rows) {
    const std::int64_t channel = channel0 + threadIdx.x;
    const std::int64_t at = slot0 + r < block && channel < args.channels && number < place.count()
                                ? place.element(number, slot0 + r, channel)
                                : -1;
    tile[r][threadIdx.x] = at >= 0 ? to_float(args.in[at]) : 0.0f;
  }
  __syncthreads();
  for (int r = static_cast<int>(threadIdx.y); r < lanes; r += rows) {
    if (channel0 + r >= args.channels) break;
    const std::int64_t row = blockIdx.z * args.channels + channel0 + r;
    real[row * points + slot0 + threadIdx.x] = tile[threadIdx.x][r];
  }
}

/// The taps as the first rows of a transform's input; the other rows of it are zeros already.
__global__ void spread_taps(const float* taps, std::int64_t channels, float* real) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index >= channels * block) return;
  const std::int64_t t = index / channels;
  const std::int64_t channel = index % channels;
  // The backward transform's scale goes with the taps.
  real[channel * points + t] = taps[index] * (1.0f / points);
}

__global__ void multiply_spectra(cufftComplex* spectra, const cufftComplex* taps,
                                 std::int64_t channels, std::int64_t count) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  const std::int64_t period = channels * frequencies;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += step) {
    const cufftComplex a = spectra[i];
    const cufftComplex b = taps[i % period];
    spectra[i] = {fmaf(-a.y, b.y, a.x * b.x), fmaf(a.y, b.x, a.x * b.y)};
  }
}

/// out = the convolution's rows + out_table . states; a thread: one channel, four slots, four
/// blocks.
template <class T>
__global__ void write_outputs(const StateConvolutionArgs<T> args, std::int64_t blocks,
                              std::int64_t first, int count, const float* real,
                              const float* states) {
  __shared__ float tile[together][lanes][lanes + 1];
  constexpr int slots = lanes / rows;
  const BlockPlace<T> place{args, blocks};
  const std::int64_t channel0 = static_cast<std::int64_t>(blockIdx.x) * lanes;
  const int slot0 = static_cast<int>(blockIdx.y) * lanes;
  const int group = static_cast<int>(blockIdx.z) * together;
  const auto is_there = [&](int k) {
    return group + k < count && first + group + k < place.count();
  };
  for (int k = 0; k < together; ++k) {
    for (int r = static_cast<int>(threadIdx.y); r < lanes; r += rows) {
      const bool exists = is_there(k) && channel0 + r < args.channels;
      const std::int64_t row = (group + k) * args.channels + channel0 + r;
      tile[k][r][threadIdx.x] = exists ? real[row * points + slot0 + threadIdx.x] : 0.0f;
    }
  }
  __syncthreads();
  const std::int64_t channel = channel0 + threadIdx.x;
  if (channel >= args.channels || !is_there(0)) return;
  float sum[slots][together];
#pragma unroll
  for (int i = 0; i < slots; ++i) {
#pragma unroll
    for (int k = 0; k < together; ++k) {
      sum[i][k] = tile[k][threadIdx.x][threadIdx.y + i * rows];
    }
  }
  const float* before[together];
#pragma unroll
  for (int k = 0; k < together; ++k) {
    const std::int64_t number = first + group + (is_there(k) ? k : 0);
    before[k] = states + number * args.states * args.channels + channel;
  }
  const float* table = table_column(args.out_table, block * args.states, channel);
  for (std::int64_t j = 0; j < args.states; ++j) {
    float x[together];
#pragma unroll
    for (int k = 0; k < together; ++k) x[k] = before[k][j * args.channels];
#pragma unroll
    for (int i = 0; i < slots; ++i) {
      const std::int64_t slot = slot0 + threadIdx.y + i * rows;
      const float factor = table[(slot * args.states + j) * convolution_panel];
#pragma unroll
      for (int k = 0; k < together; ++k) sum[i][k] = fmaf(factor, x[k], sum[i][k]);
    }
  }
#pragma unroll
  for (int i = 0; i < slots; ++i) {
#pragma unroll
    for (int k = 0; k < together; ++k) {
      if (!is_there(k)) continue;
      const int slot = slot0 + static_cast<int>(threadIdx.y) + i * rows;
      const std::int64_t at = place.element(first + group + k, slot, channel);
      if (at < 0) continue;
      const float earlier = args.accumulate ? to_float(args.out[at]) : 0.0f;
      args.out[at] = from_float<T>(earlier + sum[i][k]);
    }
  }
}

unsigned parts(std::int64_t count, std::int64_t size) {
  return static_cast<unsigned>((count + size - 1) / size);
}

template <class T>
void chain(cudaStream_t stream, const StateConvolutionArgs<T>& args, std::int64_t blocks,
           float* states) {
  const dim3 grid(static_cast<unsigned>(args.channels), static_cast<unsigned>(args.batch));
  const auto threads = static_cast<unsigned>((args.states + 31) / 32 * 32);
  const std::size_t shared_bytes = threads * sizeof(float);
  if (args.states <= 32) {
    chain_blocks<32, T><<<grid, threads, shared_bytes, stream>>>(args, blocks, states);
  } else if (args.states <= 64) {
    chain_blocks<64, T><<<grid, threads, shared_bytes, stream>>>(args, blocks, states);
  } else if (args.states <= 128) {
    chain_blocks<128, T><<<grid, threads, shared_bytes, stream>>>(args, blocks, states);
  } else {
    chain_blocks<32, T><<<grid, threads, shared_bytes, stream>>>(args, blocks, states);
  }
  check_launch("state_convolution, chain");
}

template <class T>
void convolve(StateConvolutions& plans, cudaStream_t stream, const StateConvolutionArgs<T>& args) {
  if (args.batch * args.length * args.channels == 0) return;
  if (args.states > 1024 || args.batch > 65535) {
    throw InvalidArgument(
        "state_convolution: at most 1024 states a channel and 65535 sequences, got " +
        std::to_string(args.states) + " and " + std::to_string(args.batch));
  }
  const std::int64_t blocks = (args.length + block - 1) / block;
  const std::int64_t all_blocks = args.batch * blocks;
  const auto channels = static_cast<int>(args.channels);
  const int blocks_together = std::clamp(transforms_together / channels, 1, 65535);
  const int transforms = blocks_together * channels;

  const CallMemory states(
      stream, static_cast<std::size_t>(all_blocks * args.states * args.channels) * sizeof(float));
  const std::size_t real_bytes = static_cast<std::size_t>(transforms) * points * sizeof(float);
  const CallMemory real(stream, real_bytes);
  const std::size_t spectrum = static_cast<std::size_t>(frequencies) * sizeof(cufftComplex);
  const CallMemory spectra(stream, static_cast<std::size_t>(transforms) * spectrum);
  const CallMemory taps(stream, static_cast<std::size_t>(channels) * spectrum);
  const CallMemory workspace(stream, plans.workspace_bytes(transforms));

  const dim3 threads(lanes, rows);
  const unsigned channel_parts = parts(args.channels, lanes);
  add_inputs<T><<<dim3(parts(all_blocks, together), parts(args.states, 2 * rows), channel_parts),
                  threads, 0, stream>>>(args, blocks, states.as<float>());
  check_launch("state_convolution, added");
  chain(stream, args, blocks, states.as<float>());

  check(cudaMemsetAsync(real.as<float>(), 0, real_bytes, stream), "fill");
  spread_taps<<<parts(args.channels * block, 256), 256, 0, stream>>>(args.taps, args.channels,
                                                                     real.as<float>());
  check_launch("state_convolution, taps");
  plans.forward(stream, transforms, real.as<float>(), spectra.as<cufftComplex>(),
                workspace.as<void>());
  check(cudaMemcpyAsync(taps.as<void>(), spectra.as<void>(),
                        static_cast<std::size_t>(channels) * spectrum, cudaMemcpyDeviceToDevice,
                        stream),
        "copy");
  for (std::int64_t first = 0; first < all_blocks; first += blocks_together) {
    spread_inputs<T><<<dim3(channel_parts, points / lanes, static_cast<unsigned>(blocks_together)),
                       threads, 0, stream>>>(args, blocks, first, real.as<float>());
    check_launch("state_convolution, inputs");
    plans.forward(stream, transforms, real.as<float>(), spectra.as<cufftComplex>(),
                  workspace.as<void>());
    const std::int64_t count = static_cast<std::int64_t>(transforms) * frequencies;
    multiply_spectra<<<grid_of(count), threads_of_grid, 0, stream>>>(
        spectra.as<cufftComplex>(), taps.as<cufftComplex>(), args.channels, count);
    check_launch("state_convolution, spectra");
    plans.backward(stream, transforms, spectra.as<cufftComplex>(), real.as<float>(),
                   workspace.as<void>());
    write_outputs<T>
        <<<dim3(channel_parts, block / lanes, parts(blocks_together, together)), threads, 0,
           stream>>>(args, blocks, first, blocks_together, real.as<float>(), states.as<float>());
    check_launch("state_convolution, output");
  }
}

}  // namespace

StateConvolutions::~StateConvolutions() {
  for (const auto& [transforms, plans] : plans_) {
    cufftDestroy(plans.forward);
    cufftDestroy(plans.backward);
  }
}

// Called with the mutex held.
const StateConvolutions::Plans& StateConvolutions::plans(int transforms) {
  const auto found = plans_.find(transforms);
  if (found != plans_.end()) return found->second;
  Plans made;
  int size[] = {points};
  const auto make = [&](cufftHandle& plan, cufftType type) {
    std::size_t bytes = 0;
    check_fft(cufftCreate(&plan), "plan");
    check_fft(cufftSetAutoAllocation(plan, 0), "plan");
    check_fft(
        cufftMakePlanMany(plan, 1, size, nullptr, 1, 0, nullptr, 1, 0, type, transforms, &bytes),
        "plan");
    made.workspace_bytes = std::max(made.workspace_bytes, bytes);
  };
  make(made.forward, CUFFT_R2C);
  make(made.backward, CUFFT_C2R);
  return plans_.emplace(transforms, made).first->second;
}

std::size_t StateConvolutions::workspace_bytes(int transforms) {
  const std::lock_guard lock(mutex_);
  return plans(transforms).workspace_bytes;
}

void StateConvolutions::forward(cudaStream_t stream, int transforms, float* real,
                                cufftComplex* complex, void* workspace) {
  const std::lock_guard lock(mutex_);
  const Plans& made = plans(transforms);
  check_fft(cufftSetStream(made.forward, stream), "stream");
  check_fft(cufftSetWorkArea(made.forward, workspace), "workspace");
  check_fft(cufftExecR2C(made.forward, real, complex), "forward transform");
}

void StateConvolutions::backward(cudaStream_t stream, int transforms, cufftComplex* complex,
                                 float* real, void* workspace) {
  const std::lock_guard lock(mutex_);
  const Plans& made = plans(transforms);
  check_fft(cufftSetStream(made.backward, stream), "stream");
  check_fft(cufftSetWorkArea(made.backward, workspace), "workspace");
  check_fft(cufftExecC2R(made.backward, complex, real), "backward transform");
}

void StateConvolutions::run(cudaStream_t stream, const StateConvolutionArgs<float>& args) {
  convolve(*this, stream, args);
}
void StateConvolutions::run(cudaStream_t stream, const StateConvolutionArgs<bfloat16>& args) {
  convolve(*this, stream, args);
}

}  // namespace ssmgen::kernels::cuda
