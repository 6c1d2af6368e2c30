#pragma once
// The abstract back end: memory, streams and one virtual a kernel. Whatever knows of a device
// stands behind it. Kernels are asynchronous in stream order; a back end may run them at once.

#include <cstdint>
#include <memory>
#include <ssmgen/errors.hpp>
#include <string>

#include "kernels/add_norm.hpp"
#include "kernels/base_log_softmax.hpp"
#include "kernels/causal_conv.hpp"
#include "kernels/diagonal_scan.hpp"
#include "kernels/gather_rows.hpp"
#include "kernels/gelu.hpp"
#include "kernels/glu.hpp"
#include "kernels/lm_head.hpp"
#include "kernels/multiply.hpp"
#include "kernels/place_rows.hpp"
#include "kernels/product.hpp"
#include "kernels/selective_scan.hpp"
#include "kernels/state_convolution.hpp"
#include "kernels/sweep_inputs.hpp"
#include "kernels/token_embedding.hpp"

namespace ssmgen::kernels {

/// A queue of work on one device; null is a back end's only queue when it has no others.
using Stream = void*;

/// A point in a stream's work; null where there is one queue only.
struct Event {
  void* native = nullptr;
};

/// What the device does at the most of the things a model's time goes into, measured.
struct DeviceRates {
  double product_flop_per_second = 0;   ///< a large matrix product of the type asked for
  double exponentials_per_second = 0;   ///< f32, with no memory traffic
  double multiply_adds_per_second = 0;  ///< f32 outside of products, with no memory traffic
};

/// Memory of a device; all 0 where it is the host's.
struct DeviceMemory {
  std::int64_t total_bytes = 0;
  std::int64_t free_bytes = 0;
  std::int64_t used_bytes = 0;  ///< taken since the back end was made
};

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /// For logs and errors, for example "cpu (AVX3_ZEN4, 2 threads)".
  virtual std::string description() const = 0;
  /// Host threads that compute.
  virtual int threads() const = 0;
  /// Whether products of bf16 run on bf16 units; otherwise they are formed in f32.
  virtual bool native_bf16_products() const = 0;
  /// Rows a chain of kernels had best have at a time: enough to fill the device, few enough for its
  /// caches. No result depends on it.
  virtual std::int64_t preferred_rows() const = 0;
  /// What a sequence of more rows than that had best be cut into.
  virtual std::int64_t preferred_chunk_rows() const = 0;
  /// Sequences may be cut at multiples of it, counted from position 0, without changing a bit.
  virtual std::int64_t cut_length() const = 0;
  /// Bytes that an activation of many sequences may have in one pass, where that is more.
  virtual std::int64_t preferred_group_bytes() const = 0;
  /// Above 0 when so few sequences had best be swept both ways at once, piece by piece: the pieces'
  /// edges may then lie at multiples of it, counted from either end, without changing a bit.
  virtual std::int64_t preferred_piece_unit(const SweepShape& /*shape*/) const { return 0; }
  /// Measures for a fraction of a second; for benchmarks that state their distance to the floor.
  virtual DeviceRates measure_rates(Dtype dtype) = 0;

  /// Device memory, at least 64-byte aligned. @throws DeviceError naming device and bytes.
  virtual void* allocate(std::int64_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  /// Host memory that is copied to and from the device at full speed beside its work.
  /// @throws DeviceError naming the bytes.
  virtual void* allocate_pinned(std::int64_t bytes) = 0;
  virtual void release_pinned(void* memory) noexcept = 0;
  virtual DeviceMemory device_memory() const = 0;
  /// The most memory of the device in use at once since the back end was made, by whoever uses it;
  /// 0 where it is the host's.
  virtual std::int64_t device_peak_bytes() const = 0;
  /// What an urgent stream has ready runs before what the others have.
  virtual Stream create_stream(bool is_urgent = false) = 0;
  virtual void destroy_stream(Stream stream) noexcept = 0;
  virtual void synchronize(Stream stream) = 0;
  /// Waits for all that was given to the device by whoever it was, other libraries among them.
  virtual void synchronize_device() = 0;
  /// A mark behind all that the stream got up to now; to be released, at any time.
  virtual Event record(Stream stream) = 0;
  /// What the stream gets from now on starts when the event has happened.
  virtual void wait(Stream stream, Event event) = 0;
  virtual void release(Event event) noexcept = 0;
  virtual void copy_from_host(Stream stream, void* to, const void* from, std::int64_t bytes) = 0;
  virtual void copy_to_host(Stream stream, void* to, const void* from, std::int64_t bytes) = 0;
  virtual void copy(Stream stream, void* to, const void* from, std::int64_t bytes) = 0;
  virtual void fill_zero(Stream stream, void* memory, std::int64_t bytes) = 0;

  virtual std::unique_ptr<PreparedProduct> prepare_product(const ProductSpec& spec) = 0;
  virtual void product(Stream stream, const ProductArgs& args) = 0;

  /// Null where the kernels of its parts are what the back end has for it.
  virtual std::unique_ptr<PreparedSweepInputs> prepare_sweep_inputs(
      const SweepInputsSpec& /*spec*/) {
    return nullptr;
  }
  /// Only with what prepare_sweep_inputs() gave.
  virtual void sweep_inputs(Stream /*stream*/, const SweepInputsArgs& /*args*/) {
    throw InvalidArgument("sweep_inputs: " + description() + " prepares none");
  }

  virtual void token_embedding(Stream stream, const TokenEmbeddingArgs<float>& args) = 0;
  virtual void token_embedding(Stream stream, const TokenEmbeddingArgs<bfloat16>& args) = 0;
  virtual void add_rms_norm(Stream stream, const AddNormArgs<float, float>& args) = 0;
  virtual void add_rms_norm(Stream stream, const AddNormArgs<bfloat16, bfloat16>& args) = 0;
  virtual void add_rms_norm(Stream stream, const AddNormArgs<bfloat16, float>& args) = 0;
  virtual void add_layer_norm(Stream stream, const AddNormArgs<float, float>& args) = 0;
  virtual void add_layer_norm(Stream stream, const AddNormArgs<bfloat16, bfloat16>& args) = 0;
  virtual void add_layer_norm(Stream stream, const AddNormArgs<bfloat16, float>& args) = 0;
  virtual void causal_conv(Stream stream, const CausalConvArgs<float>& args) = 0;
  virtual void causal_conv(Stream stream, const CausalConvArgs<bfloat16>& args) = 0;
  virtual void selective_scan(Stream stream, const SelectiveScanArgs<float>& args) = 0;
  virtual void selective_scan(Stream stream, const SelectiveScanArgs<bfloat16>& args) = 0;
  virtual void diagonal_scan(Stream stream, const DiagonalScanArgs<float>& args) = 0;
  virtual void diagonal_scan(Stream stream, const DiagonalScanArgs<bfloat16>& args) = 0;
  virtual void state_convolution(Stream stream, const StateConvolutionArgs<float>& args) = 0;
  virtual void state_convolution(Stream stream, const StateConvolutionArgs<bfloat16>& args) = 0;
  virtual void gelu(Stream stream, const GeluArgs<float>& args) = 0;
  virtual void gelu(Stream stream, const GeluArgs<bfloat16>& args) = 0;
  virtual void glu(Stream stream, const GluArgs<float>& args) = 0;
  virtual void glu(Stream stream, const GluArgs<bfloat16>& args) = 0;
  virtual void multiply(Stream stream, const MultiplyArgs<float>& args) = 0;
  virtual void multiply(Stream stream, const MultiplyArgs<bfloat16>& args) = 0;
  virtual void gather_rows(Stream stream, const GatherRowsArgs<float>& args) = 0;
  virtual void gather_rows(Stream stream, const GatherRowsArgs<bfloat16>& args) = 0;
  virtual void place_rows(Stream stream, const PlaceRowsArgs<float>& args) = 0;
  virtual void place_rows(Stream stream, const PlaceRowsArgs<bfloat16>& args) = 0;
  virtual void lm_head(Stream stream, const LmHeadArgs<float>& args) = 0;
  virtual void lm_head(Stream stream, const LmHeadArgs<bfloat16>& args) = 0;
  virtual void base_log_softmax(Stream stream, const BaseLogSoftmaxArgs& args) = 0;
};

}  // namespace ssmgen::kernels
