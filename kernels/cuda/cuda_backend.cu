// An NVIDIA card as a back end, made by the plugin's one exported function.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/add_norm.hpp"
#include "kernels/cuda/base_log_softmax.hpp"
#include "kernels/cuda/causal_conv.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/diagonal_scan.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/gather_rows.hpp"
#include "kernels/cuda/gelu.hpp"
#include "kernels/cuda/glu.hpp"
#include "kernels/cuda/lm_head.hpp"
#include "kernels/cuda/multiply.hpp"
#include "kernels/cuda/place_rows.hpp"
#include "kernels/cuda/plugin.hpp"
#include "kernels/cuda/product.hpp"
#include "kernels/cuda/selective_scan.hpp"
#include "kernels/cuda/state_convolution.hpp"
#include "kernels/cuda/sweep_inputs.hpp"
#include "kernels/cuda/token_embedding.hpp"

namespace ssmgen::kernels::cuda {
namespace {

// Makes the back end's card the calling thread's, and the former one again at the end.
class DeviceScope {
 public:
  explicit DeviceScope(int device) {
    check(cudaGetDevice(&before_), "current device");
    if (before_ != device) check(cudaSetDevice(device), "device " + std::to_string(device));
  }
  ~DeviceScope() { cudaSetDevice(before_); }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int before_ = 0;
};

class Timer {
 public:
  Timer() {
    check(cudaEventCreate(&start_), "event");
    check(cudaEventCreate(&stop_), "event");
  }
  ~Timer() {
    cudaEventDestroy(start_);
    cudaEventDestroy(stop_);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  template <class Work>
  double seconds(Work&& work) {
    check(cudaEventRecord(start_, nullptr), "event");
    work();
    check(cudaEventRecord(stop_, nullptr), "event");
    check(cudaEventSynchronize(stop_), "event");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start_, stop_), "event");
    return static_cast<double>(milliseconds) * 1e-3;
  }

 private:
  cudaEvent_t start_ = nullptr;
  cudaEvent_t stop_ = nullptr;
};

constexpr int rate_rounds = 4096;

__global__ void only_exponentials(float* sink) {
  float x[8];
#pragma unroll
  for (int i = 0; i < 8; ++i) x[i] = -static_cast<float>(threadIdx.x + i) * 1e-3f;
  for (int round = 0; round < rate_rounds; ++round) {
#pragma unroll
    for (int i = 0; i < 8; ++i) x[i] = exp2_fast(x[i]);
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) sum += x[i];
  sink[static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x] = sum;
}

__global__ void only_multiply_adds(float* sink) {
  float x[8];
#pragma unroll
  for (int i = 0; i < 8; ++i) x[i] = static_cast<float>(threadIdx.x + i) * 1e-3f;
  for (int round = 0; round < rate_rounds; ++round) {
#pragma unroll
    for (int i = 0; i < 8; ++i) x[i] = fmaf(x[i], 0.999f, 1e-3f);
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) sum += x[i];
  sink[static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x] = sum;
}

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(int device) : device_(device) {
    const DeviceScope scope(device_);
    check(cudaGetDeviceProperties(&properties_, device_), "device properties");
    // Freed states of the scan stay with the pool for the next call.
    cudaMemPool_t pool = nullptr;
    check(cudaDeviceGetDefaultMemPool(&pool, device_), "memory pool");
    std::uint64_t keep = UINT64_MAX;
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), "memory pool");
    products_ = std::make_unique<Products>();
    convolutions_ = std::make_unique<StateConvolutions>();
    free_at_start_ = device_memory().free_bytes;
  }
  ~CudaBackend() override {
    const DeviceScope scope(device_);
    convolutions_.reset();
    products_.reset();
  }

  std::string description() const override {
    return "cuda:" + std::to_string(device_) + " (" + properties_.name + ")";
  }
  int threads() const override { return 1; }
  bool native_bf16_products() const override { return properties_.major >= 8; }
  std::int64_t preferred_rows() const override { return std::int64_t{1} << 18; }
  std::int64_t preferred_chunk_rows() const override { return std::int64_t{1} << 16; }
  std::int64_t cut_length() const override { return tile_length; }
  std::int64_t preferred_group_bytes() const override {
    constexpr std::uint64_t activations = 64;  // of this size the card would hold
    return static_cast<std::int64_t>(std::bit_floor(properties_.totalGlobalMem / activations));
  }

  // Where one sweep's chains leave much of the card idle; shorter pieces would not outweigh their
  // launches.
  std::int64_t preferred_piece_unit(const SweepShape& shape) const override {
    constexpr std::int64_t unit = 16;
    constexpr std::int64_t most_sequences = 32;
    constexpr std::int64_t least_length = 8192;
    const bool is_worth_it = shape.sequences <= most_sequences && shape.length >= least_length;
    const DeviceScope scope(device_);
    return is_worth_it && is_uncut(shape) ? unit : 0;
  }

  DeviceRates measure_rates(Dtype dtype) override {
    const DeviceScope scope(device_);
    return {measure_products(dtype), measure_loops(only_exponentials),
            measure_loops(only_multiply_adds)};
  }

  void* allocate(std::int64_t bytes) override {
    const DeviceScope scope(device_);
    void* memory = nullptr;
    if (cudaMalloc(&memory, static_cast<std::size_t>(bytes)) != cudaSuccess) {
      cudaGetLastError();
      std::size_t available = 0;
      std::size_t total = 0;
      cudaMemGetInfo(&available, &total);
      throw DeviceError(description() + ": " + std::to_string(bytes) +
                        " bytes were asked for and " + std::to_string(available) + " of " +
                        std::to_string(total) +
                        " are free: use a smaller --chunk or --batch, or --dtype bf16");
    }
    note_memory();
    return memory;
  }
  std::int64_t device_peak_bytes() const override { return peak_bytes_; }
  void release(void* memory) noexcept override { cudaFree(memory); }
  void* allocate_pinned(std::int64_t bytes) override {
    const DeviceScope scope(device_);
    void* memory = nullptr;
    if (cudaHostAlloc(&memory, static_cast<std::size_t>(bytes), cudaHostAllocPortable) !=
        cudaSuccess) {
      cudaGetLastError();
      throw DeviceError(description() + ": " + std::to_string(bytes) +
                        " bytes of page-locked host memory were asked for and could not be had: "
                        "use a smaller --max-memory with --scratch DIR");
    }
    return memory;
  }
  void release_pinned(void* memory) noexcept override { cudaFreeHost(memory); }
  DeviceMemory device_memory() const override {
    const DeviceScope scope(device_);
    std::size_t available = 0;
    std::size_t total = 0;
    check(cudaMemGetInfo(&available, &total), "memory in use");
    DeviceMemory memory;
    memory.total_bytes = static_cast<std::int64_t>(total);
    memory.free_bytes = static_cast<std::int64_t>(available);
    memory.used_bytes = free_at_start_ - memory.free_bytes;
    return memory;
  }
  Stream create_stream(bool is_urgent) override {
    const DeviceScope scope(device_);
    int least = 0;
    int most = 0;
    check(cudaDeviceGetStreamPriorityRange(&least, &most), "stream priorities");
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, is_urgent ? most : least),
          "stream");
    return stream;
  }
  void destroy_stream(Stream stream) noexcept override { cudaStreamDestroy(native(stream)); }
  void synchronize(Stream stream) override {
    const DeviceScope scope(device_);
    check(cudaStreamSynchronize(native(stream)), "synchronize");
  }
  void synchronize_device() override {
    const DeviceScope scope(device_);
    check(cudaDeviceSynchronize(), "synchronize the device");
  }
  Event record(Stream stream) override {
    const DeviceScope scope(device_);
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
    check(cudaEventRecord(event, native(stream)), "event");
    return {event};
  }
  void wait(Stream stream, Event event) override {
    const DeviceScope scope(device_);
    check(cudaStreamWaitEvent(native(stream), static_cast<cudaEvent_t>(event.native)), "event");
  }
  void release(Event event) noexcept override {
    cudaEventDestroy(static_cast<cudaEvent_t>(event.native));
  }
  void copy_from_host(Stream stream, void* to, const void* from, std::int64_t bytes) override {
    copy_bytes(stream, to, from, bytes, cudaMemcpyHostToDevice);
  }
  void copy_to_host(Stream stream, void* to, const void* from, std::int64_t bytes) override {
    copy_bytes(stream, to, from, bytes, cudaMemcpyDeviceToHost);
  }
  void copy(Stream stream, void* to, const void* from, std::int64_t bytes) override {
    copy_bytes(stream, to, from, bytes, cudaMemcpyDeviceToDevice);
  }
  void fill_zero(Stream stream, void* memory, std::int64_t bytes) override {
    const DeviceScope scope(device_);
    check(cudaMemsetAsync(memory, 0, static_cast<std::size_t>(bytes), native(stream)), "fill");
  }

  std::unique_ptr<PreparedProduct> prepare_product(const ProductSpec& spec) override {
    const DeviceScope scope(device_);
    return products_->prepare(spec);
  }
  void product(Stream stream, const ProductArgs& args) override {
    const DeviceScope scope(device_);
    static_cast<const CudaPreparedProduct*>(args.product)->run(native(stream), args);
  }

  std::unique_ptr<PreparedSweepInputs> prepare_sweep_inputs(const SweepInputsSpec& spec) override {
    const DeviceScope scope(device_);
    return cuda::prepare_sweep_inputs(spec);
  }
  void sweep_inputs(Stream s, const SweepInputsArgs& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::sweep_inputs(stream, a); });
  }

  void token_embedding(Stream s, const TokenEmbeddingArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::token_embedding(stream, a); });
  }
  void token_embedding(Stream s, const TokenEmbeddingArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::token_embedding(stream, a); });
  }
  void add_rms_norm(Stream s, const AddNormArgs<float, float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::add_rms_norm(stream, a); });
  }
  void add_rms_norm(Stream s, const AddNormArgs<bfloat16, bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::add_rms_norm(stream, a); });
  }
  void add_rms_norm(Stream s, const AddNormArgs<bfloat16, float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::add_rms_norm(stream, a); });
  }
  void add_layer_norm(Stream s, const AddNormArgs<float, float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::add_layer_norm(stream, a); });
  }
  void add_layer_norm(Stream s, const AddNormArgs<bfloat16, bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::add_layer_norm(stream, a); });
  }
  void add_layer_norm(Stream s, const AddNormArgs<bfloat16, float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::add_layer_norm(stream, a); });
  }
  void causal_conv(Stream s, const CausalConvArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::causal_conv(stream, a); });
  }
  void causal_conv(Stream s, const CausalConvArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::causal_conv(stream, a); });
  }
  void selective_scan(Stream s, const SelectiveScanArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::selective_scan(stream, a); });
  }
  void selective_scan(Stream s, const SelectiveScanArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::selective_scan(stream, a); });
  }
  void diagonal_scan(Stream s, const DiagonalScanArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::diagonal_scan(stream, a); });
  }
  void diagonal_scan(Stream s, const DiagonalScanArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::diagonal_scan(stream, a); });
  }
  void state_convolution(Stream s, const StateConvolutionArgs<float>& args) override {
    launch(s, args, [this](auto stream, const auto& a) { convolutions_->run(stream, a); });
  }
  void state_convolution(Stream s, const StateConvolutionArgs<bfloat16>& args) override {
    launch(s, args, [this](auto stream, const auto& a) { convolutions_->run(stream, a); });
  }
  void gelu(Stream s, const GeluArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::gelu(stream, a); });
  }
  void gelu(Stream s, const GeluArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::gelu(stream, a); });
  }
  void glu(Stream s, const GluArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::glu(stream, a); });
  }
  void glu(Stream s, const GluArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::glu(stream, a); });
  }
  void multiply(Stream s, const MultiplyArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::multiply(stream, a); });
  }
  void multiply(Stream s, const MultiplyArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::multiply(stream, a); });
  }
  void gather_rows(Stream s, const GatherRowsArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::gather_rows(stream, a); });
  }
  void gather_rows(Stream s, const GatherRowsArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::gather_rows(stream, a); });
  }
  void place_rows(Stream s, const PlaceRowsArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::place_rows(stream, a); });
  }
  void place_rows(Stream s, const PlaceRowsArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::place_rows(stream, a); });
  }
  void lm_head(Stream s, const LmHeadArgs<float>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::lm_head(stream, a); });
  }
  void lm_head(Stream s, const LmHeadArgs<bfloat16>& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::lm_head(stream, a); });
  }
  void base_log_softmax(Stream s, const BaseLogSoftmaxArgs& args) override {
    launch(s, args, [](auto stream, const auto& a) { cuda::base_log_softmax(stream, a); });
  }

 private:
  static cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream); }

  void note_memory() {
    const std::int64_t used = device_memory().used_bytes;
    std::int64_t peak = peak_bytes_;
    while (used > peak && !peak_bytes_.compare_exchange_weak(peak, used)) {
    }
  }

  template <class Args, class Kernel>
  void launch(Stream stream, const Args& args, Kernel&& kernel) {
    const DeviceScope scope(device_);
    kernel(native(stream), args);
  }

  void copy_bytes(Stream stream, void* to, const void* from, std::int64_t bytes,
                  cudaMemcpyKind kind) {
    if (bytes == 0) return;
    const DeviceScope scope(device_);
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), kind, native(stream)),
          "copy of " + std::to_string(bytes) + " bytes");
  }

  double measure_products(Dtype dtype) {
    constexpr std::int64_t size = 4096;
    constexpr std::int64_t rows = 32768;
    constexpr int repeats = 5;
    const std::vector<float> values(static_cast<std::size_t>(size * size), 0.01f);
    ProductSpec spec;
    spec.inputs = size;
    spec.outputs = size;
    spec.in = dtype;
    spec.out = dtype;
    spec.weight = values.data();
    const std::unique_ptr<PreparedProduct> prepared = products_->prepare(spec);
    const std::int64_t bytes = rows * size * element_bytes(dtype);
    void* in = allocate(bytes);
    void* out = allocate(bytes);
    check(cudaMemset(in, 0x3c, static_cast<std::size_t>(bytes)), "fill");
    ProductArgs args;
    args.product = prepared.get();
    args.in = in;
    args.out = out;
    args.rows = rows;
    args.in_row_stride = size;
    args.out_row_stride = size;
    Timer timer;
    double best = 1e9;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      best = std::min(best, timer.seconds([&] { product(nullptr, args); }));
    }
    release(in);
    release(out);
    return 2.0 * static_cast<double>(rows * size * size) / best;
  }

  /// Of a kernel that does rate_rounds times eight of a thing in each thread.
  double measure_loops(void (*kernel)(float*)) {
    constexpr int threads = 256;
    const int blocks = properties_.multiProcessorCount * 8;
    void* sink = allocate(static_cast<std::int64_t>(threads) * blocks * 4);
    Timer timer;
    double best = 1e9;
    for (int repeat = 0; repeat < 3; ++repeat) {
      best = std::min(best, timer.seconds([&] {
        kernel<<<static_cast<unsigned>(blocks), threads>>>(static_cast<float*>(sink));
        check_launch("rates");
      }));
    }
    release(sink);
    return 8.0 * rate_rounds * threads * blocks / best;
  }

  int device_;
  cudaDeviceProp properties_{};
  std::int64_t free_at_start_ = 0;
  std::atomic<std::int64_t> peak_bytes_ = 0;
  std::unique_ptr<Products> products_;
  std::unique_ptr<StateConvolutions> convolutions_;
};

}  // namespace
}  // namespace ssmgen::kernels::cuda

extern "C" ssmgen::kernels::Backend* ssmgen_make_cuda_backend(int device) {
  using namespace ssmgen;
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  const std::string wanted = "device cuda:" + std::to_string(device) + " was asked for, but ";
  if (found == cudaErrorInsufficientDriver) {
    int driver = 0;
    cudaDriverGetVersion(&driver);
    throw DeviceError(wanted +
                      (driver == 0 ? "no NVIDIA driver was found: install one"
                                   : "the NVIDIA driver is too old for the CUDA runtime "
                                     "this was built with: update it") +
                      ", or use --device cpu");
  }
  if (found != cudaSuccess || count == 0) {
    cudaGetLastError();
    throw DeviceError(wanted + "no NVIDIA device was found (" + cudaGetErrorString(found) +
                      "): use --device cpu");
  }
  if (device >= count) {
    throw DeviceError(wanted + "the last of " + std::to_string(count) +
                      " is cuda:" + std::to_string(count - 1) + ": use that, or --device cpu");
  }
  return new kernels::cuda::CudaBackend(device);
}
