#include "kernels/cpu/cpu_backend.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <hwy/highway.h>
#include <vector>

#include "kernels/cpu/add_layer_norm.hpp"
#include "kernels/cpu/add_rms_norm.hpp"
#include "kernels/cpu/base_log_softmax.hpp"
#include "kernels/cpu/causal_conv.hpp"
#include "kernels/cpu/diagonal_scan.hpp"
#include "kernels/cpu/gather_rows.hpp"
#include "kernels/cpu/gelu.hpp"
#include "kernels/cpu/glu.hpp"
#include "kernels/cpu/host_memory.hpp"
#include "kernels/cpu/lm_head.hpp"
#include "kernels/cpu/machine_rates.hpp"
#include "kernels/cpu/multiply.hpp"
#include "kernels/cpu/place_rows.hpp"
#include "kernels/cpu/product.hpp"
#include "kernels/cpu/selective_scan.hpp"
#include "kernels/cpu/state_convolution.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "kernels/cpu/token_embedding.hpp"

namespace ssmgen::kernels::cpu {
namespace {

/// FLOP/s of 4096 rows through a 256 -> 1024 product: in_proj of the published 1 Mb models.
double measure_product_rate(Backend& backend, Dtype dtype) {
  constexpr std::int64_t rows = 4096;
  constexpr std::int64_t inputs = 256;
  constexpr std::int64_t outputs = 1024;
  constexpr int repeats = 40;
  const std::vector<float> weight(static_cast<std::size_t>(inputs * outputs), 0.5f);
  ProductSpec spec;
  spec.inputs = inputs;
  spec.outputs = outputs;
  spec.in = dtype;
  spec.out = dtype;
  spec.weight = weight.data();
  const std::unique_ptr<PreparedProduct> product = backend.prepare_product(spec);
  // Zeros are values too: the time of a product does not depend on them.
  const std::vector<float> in(static_cast<std::size_t>(rows * inputs));
  std::vector<float> out(static_cast<std::size_t>(rows * outputs));
  ProductArgs args;
  args.product = product.get();
  args.in = in.data();
  args.out = out.data();
  args.rows = rows;
  args.in_row_stride = inputs;
  args.out_row_stride = outputs;
  double best_seconds = 1e9;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    backend.product(nullptr, args);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, passed.count());
  }
  return 2.0 * static_cast<double>(rows * inputs * outputs) / best_seconds;
}

/// The instruction set that Highway's dispatch takes: the best one both compiled and present.
const char* instruction_set() {
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);  // better sets have lower bits
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuBackendOptions& options)
      : pool_(options.threads), native_bf16_(options.native_bf16 && has_bf16_products()) {}

  std::string description() const override {
    return fmt::format("cpu ({}, {} thread{}, {} products)", instruction_set(), threads(),
                       threads() == 1 ? "" : "s", native_bf16_ ? "bf16" : "f32");
  }
  int threads() const override { return pool_.threads(); }
  bool native_bf16_products() const override { return native_bf16_; }
  std::int64_t preferred_rows() const override { return 4096; }
  std::int64_t preferred_chunk_rows() const override { return 4096; }
  std::int64_t cut_length() const override { return 1; }
  std::int64_t preferred_group_bytes() const override { return 0; }
  DeviceRates measure_rates(Dtype dtype) override {
    return {measure_product_rate(*this, dtype), measure_exponential_rate(pool_),
            measure_multiply_add_rate(pool_)};
  }

  void* allocate(std::int64_t bytes) override { return allocate_host(bytes); }
  void release(void* memory) noexcept override { release_host(memory); }
  void* allocate_pinned(std::int64_t bytes) override { return allocate_host(bytes); }
  void release_pinned(void* memory) noexcept override { release_host(memory); }
  DeviceMemory device_memory() const override { return {}; }
  Stream create_stream(bool /*is_urgent*/) override { return nullptr; }
  void destroy_stream(Stream) noexcept override {}
  void synchronize(Stream) override {}
  void synchronize_device() override {}
  std::int64_t device_peak_bytes() const override { return 0; }
  Event record(Stream) override { return {}; }
  void wait(Stream, Event) override {}
  void release(Event) noexcept override {}
  void copy_from_host(Stream stream, void* to, const void* from, std::int64_t bytes) override {
    copy(stream, to, from, bytes);
  }
  void copy_to_host(Stream stream, void* to, const void* from, std::int64_t bytes) override {
    copy(stream, to, from, bytes);
  }
  void copy(Stream, void* to, const void* from, std::int64_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
  void fill_zero(Stream, void* memory, std::int64_t bytes) override {
    if (bytes > 0) std::memset(memory, 0, static_cast<std::size_t>(bytes));
  }

  std::unique_ptr<PreparedProduct> prepare_product(const ProductSpec& spec) override {
    return cpu::prepare_product(spec, native_bf16_, scratch_);
  }
  void product(Stream, const ProductArgs& args) override { cpu::product(pool_, args); }

  void token_embedding(Stream, const TokenEmbeddingArgs<float>& args) override {
    cpu::token_embedding(pool_, args);
  }
  void token_embedding(Stream, const TokenEmbeddingArgs<bfloat16>& args) override {
    cpu::token_embedding(pool_, args);
  }
  void add_rms_norm(Stream, const AddNormArgs<float, float>& args) override {
    cpu::add_rms_norm(pool_, args);
  }
  void add_rms_norm(Stream, const AddNormArgs<bfloat16, bfloat16>& args) override {
    cpu::add_rms_norm(pool_, args);
  }
  void add_rms_norm(Stream, const AddNormArgs<bfloat16, float>& args) override {
    cpu::add_rms_norm(pool_, args);
  }
  void add_layer_norm(Stream, const AddNormArgs<float, float>& args) override {
    cpu::add_layer_norm(pool_, args);
  }
  void add_layer_norm(Stream, const AddNormArgs<bfloat16, bfloat16>& args) override {
    cpu::add_layer_norm(pool_, args);
  }
  void add_layer_norm(Stream, const AddNormArgs<bfloat16, float>& args) override {
    cpu::add_layer_norm(pool_, args);
  }
  void causal_conv(Stream, const CausalConvArgs<float>& args) override {
    cpu::causal_conv(pool_, args);
  }
  void causal_conv(Stream, const CausalConvArgs<bfloat16>& args) override {
    cpu::causal_conv(pool_, args);
  }
  void selective_scan(Stream, const SelectiveScanArgs<float>& args) override {
    cpu::selective_scan(pool_, args);
  }
  void selective_scan(Stream, const SelectiveScanArgs<bfloat16>& args) override {
    cpu::selective_scan(pool_, args);
  }
  void diagonal_scan(Stream, const DiagonalScanArgs<float>& args) override {
    cpu::diagonal_scan(pool_, args);
  }
  void diagonal_scan(Stream, const DiagonalScanArgs<bfloat16>& args) override {
    cpu::diagonal_scan(pool_, args);
  }
  void state_convolution(Stream, const StateConvolutionArgs<float>& args) override {
    cpu::state_convolution(pool_, args);
  }
  void state_convolution(Stream, const StateConvolutionArgs<bfloat16>& args) override {
    cpu::state_convolution(pool_, args);
  }
  void gelu(Stream, const GeluArgs<float>& args) override { cpu::gelu(pool_, args); }
  void gelu(Stream, const GeluArgs<bfloat16>& args) override { cpu::gelu(pool_, args); }
  void glu(Stream, const GluArgs<float>& args) override { cpu::glu(pool_, args); }
  void glu(Stream, const GluArgs<bfloat16>& args) override { cpu::glu(pool_, args); }
  void multiply(Stream, const MultiplyArgs<float>& args) override { cpu::multiply(pool_, args); }
  void multiply(Stream, const MultiplyArgs<bfloat16>& args) override { cpu::multiply(pool_, args); }
  void gather_rows(Stream, const GatherRowsArgs<float>& args) override {
    cpu::gather_rows(pool_, args);
  }
  void gather_rows(Stream, const GatherRowsArgs<bfloat16>& args) override {
    cpu::gather_rows(pool_, args);
  }
  void place_rows(Stream, const PlaceRowsArgs<float>& args) override {
    cpu::place_rows(pool_, args);
  }
  void place_rows(Stream, const PlaceRowsArgs<bfloat16>& args) override {
    cpu::place_rows(pool_, args);
  }
  void lm_head(Stream, const LmHeadArgs<float>& args) override { cpu::lm_head(pool_, args); }
  void lm_head(Stream, const LmHeadArgs<bfloat16>& args) override { cpu::lm_head(pool_, args); }
  void base_log_softmax(Stream, const BaseLogSoftmaxArgs& args) override {
    cpu::base_log_softmax(pool_, args);
  }

 private:
  ThreadPool pool_;
  ScratchPool scratch_;
  bool native_bf16_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const CpuBackendOptions& options) {
  return std::make_unique<CpuBackend>(options);
}

std::unique_ptr<Backend> make_cpu_backend(int threads) {
  return make_cpu_backend(CpuBackendOptions{.threads = threads});
}

}  // namespace ssmgen::kernels::cpu
