// out = weight . in (+ out) + bias by oneDNN, over tiles of a fixed number of rows.
//
// Mapping: one primitive for a tile of rows, compiled for (outputs, inputs, types); tiles go to
// the threads of the pool, each primitive runs on one thread. Dense tiles are read and written in
// place. A tile that is cut off by the last row, whose rows are strided or whose type is not the
// primitive's goes through scratch: oneDNN has its fast kernels for dense rows only, and another
// kernel would sum in another order. So all rows see the same instructions.
// Traffic: rows * (inputs + outputs) once, the packed weight once a tile (from L2 or L3).
#include "kernels/cpu/product.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>
#include <ssmgen/errors.hpp>
#include <unordered_map>
#include <vector>

#include "kernels/cpu/convert.hpp"
#include "kernels/cpu/softplus.hpp"

namespace ssmgen::kernels::cpu {
namespace {

/// A thread takes that many tiles at a time at most; one set-up of oneDNN's arguments serves all.
constexpr std::int64_t max_strip_tiles = 16;

/// oneDNN's OpenMP build asks the calling thread how many threads to start: one, for the pool
/// has them all. The setting is the calling thread's own and is put back.
class OneOpenMpThread {
 public:
  OneOpenMpThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;
  ~OneOpenMpThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }

 private:
  int before_;
};

dnnl::memory::data_type dnnl_type(Dtype dtype) {
  return dtype == Dtype::f32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

/// One side of a product: rows of the caller's type and stride.
struct Rows {
  std::byte* data;
  std::int64_t stride;  ///< elements
  std::int64_t length;  ///< elements
  Dtype dtype;
  std::int64_t tile_rows;

  std::byte* row(std::int64_t index) const { return data + index * stride * element_bytes(dtype); }

  /// Copies rows [first, first + count) to the dense tile of `tile_dtype`, and zeros after them.
  void load(std::int64_t first, std::int64_t count, std::byte* tile, Dtype tile_dtype) const {
    const std::int64_t row_bytes = length * element_bytes(tile_dtype);
    for (std::int64_t i = 0; i < count; ++i) {
      std::byte* to = tile + i * row_bytes;
      if (dtype == tile_dtype) {
        std::memcpy(to, row(first + i), static_cast<std::size_t>(row_bytes));
      } else {
        widen(reinterpret_cast<const bfloat16*>(row(first + i)), length,
              reinterpret_cast<float*>(to));
      }
    }
    const auto zeros = static_cast<std::size_t>((tile_rows - count) * row_bytes);
    std::memset(tile + count * row_bytes, 0, zeros);
  }

  /// The way back.
  void store(std::int64_t first, std::int64_t count, const std::byte* tile,
             Dtype tile_dtype) const {
    const std::int64_t row_bytes = length * element_bytes(tile_dtype);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::byte* from = tile + i * row_bytes;
      if (dtype == tile_dtype) {
        std::memcpy(row(first + i), from, static_cast<std::size_t>(row_bytes));
      } else {
        narrow(reinterpret_cast<const float*>(from), length,
               reinterpret_cast<bfloat16*>(row(first + i)));
      }
    }
  }
};

// Rows [first, first + count) from a dense tile of f32, through softplus: dense rows at once.
void store_softplus(const Rows& out, std::int64_t first, std::int64_t count, const float* tile) {
  const bool is_dense = out.stride == out.length;
  const std::int64_t at_once = is_dense ? count : 1;
  for (std::int64_t i = 0; i < count; i += at_once) {
    const float* from = tile + i * out.length;
    std::byte* to = out.row(first + i);
    if (out.dtype == Dtype::f32) {
      softplus(from, at_once * out.length, reinterpret_cast<float*>(to));
    } else {
      softplus(from, at_once * out.length, reinterpret_cast<bfloat16*>(to));
    }
  }
}

class CpuProduct final : public PreparedProduct {
 public:
  CpuProduct(const ProductSpec& spec, bool native_bf16, ScratchPool& scratch)
      : spec_(spec),
        in_(native_bf16 ? spec.in : Dtype::f32),
        out_(native_bf16 && spec.activation == Activation::none ? spec.out : Dtype::f32),
        scratch_(&scratch) {
    spec_.weight = nullptr;  // the caller's memory is read here and no more
    spec_.bias = nullptr;
    const OneOpenMpThread guard;
    plain_ = make_plan(spec.bias != nullptr, false);
    accumulating_ = make_plan(spec.bias != nullptr, true);
    weight_ = pack_weight(spec);
    if (spec.bias != nullptr) {
      bias_ = dnnl::memory(bias_description(), engine_);
      std::memcpy(bias_.get_data_handle(), spec.bias,
                  static_cast<std::size_t>(spec.outputs) * sizeof(float));
    }
  }

  void run(ThreadPool& pool, const ProductArgs& args) const {
    const Rows in{static_cast<std::byte*>(const_cast<void*>(args.in)), args.in_row_stride,
                  spec_.inputs, spec_.in, tile_rows_};
    const Rows out{static_cast<std::byte*>(args.out), args.out_row_stride, spec_.outputs, spec_.out,
                   tile_rows_};
    const std::int64_t tiles = (args.rows + tile_rows_ - 1) / tile_rows_;
    const std::int64_t strip_tiles =
        std::clamp<std::int64_t>(tiles / (4 * pool.threads()), 1, max_strip_tiles);
    const std::int64_t strips = (tiles + strip_tiles - 1) / strip_tiles;
    pool.parallel_for(strips, [&](std::int64_t strip) {
      const std::int64_t first = strip * strip_tiles * tile_rows_;
      const std::int64_t last = std::min(first + strip_tiles * tile_rows_, args.rows);
      run_strip(in, out, first, last, args.accumulate ? accumulating_ : plain_, args.accumulate);
    });
  }

  const ProductSpec& spec() const noexcept { return spec_; }

 private:
  struct Plan {
    dnnl::matmul primitive;
    dnnl::memory::desc in;
    dnnl::memory::desc weight;
    dnnl::memory::desc out;
    dnnl::memory::desc scratchpad;
  };

  dnnl::memory::desc bias_description() const {
    return {{1, spec_.outputs}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab};
  }

  Plan make_plan(bool with_bias, bool accumulate) const {
    using dnnl::memory;
    Plan plan;
    plan.in = {{tile_rows_, spec_.inputs}, dnnl_type(in_), memory::format_tag::ab};
    plan.out = {{tile_rows_, spec_.outputs}, dnnl_type(out_), memory::format_tag::ab};
    const memory::desc any_weight({spec_.inputs, spec_.outputs}, dnnl_type(in_),
                                  memory::format_tag::any);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0f);
      attributes.set_post_ops(sum);
    }
    const dnnl::matmul::desc description =
        with_bias ? dnnl::matmul::desc(plan.in, any_weight, bias_description(), plan.out)
                  : dnnl::matmul::desc(plan.in, any_weight, plan.out);
    const dnnl::matmul::primitive_desc made(description, attributes, engine_);
    plan.weight = made.weights_desc();
    plan.scratchpad = made.scratchpad_desc();
    plan.primitive = dnnl::matmul(made);
    return plan;
  }

  /// The weight in the layout that both plans read.
  dnnl::memory pack_weight(const ProductSpec& spec) const {
    using dnnl::memory;
    if (plain_.weight != accumulating_.weight) {
      throw DeviceError(
          fmt::format("oneDNN wants two layouts of one {} x {} weight", spec.outputs, spec.inputs));
    }
    // Rounded here and not by oneDNN, so that products formed in f32 see the bf16 weight too.
    std::vector<float> rounded;
    const float* source = spec.weight;
    if (spec.in == Dtype::bf16) {
      rounded.assign(source, source + spec.outputs * spec.inputs);
      for (float& value : rounded) value = static_cast<float>(bfloat16(value));
      source = rounded.data();
    }
    const memory::desc plain({spec.inputs, spec.outputs}, memory::data_type::f32,
                             memory::format_tag::ba);
    memory from(plain, engine_, const_cast<float*>(source));
    memory packed(plain_.weight, engine_);
    dnnl::stream stream(engine_);
    dnnl::reorder(from, packed).execute(stream, from, packed);
    stream.wait();
    return packed;
  }

  void run_strip(const Rows& in, const Rows& out, std::int64_t first, std::int64_t last,
                 const Plan& plan, bool accumulate) const {
    const OneOpenMpThread guard;
    const auto in_bytes = static_cast<std::int64_t>(plan.in.get_size());
    const auto out_bytes = static_cast<std::int64_t>(plan.out.get_size());
    const auto pad_bytes = static_cast<std::int64_t>(plan.scratchpad.get_size());
    const auto aligned = [](std::int64_t bytes) { return (bytes + 63) / 64 * 64; };
    const ScratchPool::Block block =
        scratch_->borrow(aligned(in_bytes) + aligned(out_bytes) + aligned(pad_bytes));
    std::byte* const in_tile = block.data();
    std::byte* const out_tile = in_tile + aligned(in_bytes);
    std::byte* const scratchpad = out_tile + aligned(out_bytes);

    dnnl::stream stream(engine_);
    const dnnl::memory in_memory(plan.in, engine_, in_tile);
    const dnnl::memory out_memory(plan.out, engine_, out_tile);
    const dnnl::memory pad_memory(plan.scratchpad, engine_, scratchpad);
    std::unordered_map<int, dnnl::memory> arguments = {{DNNL_ARG_SRC, in_memory},
                                                       {DNNL_ARG_WEIGHTS, weight_},
                                                       {DNNL_ARG_DST, out_memory},
                                                       {DNNL_ARG_SCRATCHPAD, pad_memory}};
    if (bias_) arguments.emplace(DNNL_ARG_BIAS, bias_);

    const bool in_in_place = in.stride == in.length && in.dtype == in_;
    const bool out_in_place = out.stride == out.length && out.dtype == out_;
    for (std::int64_t row = first; row < last; row += tile_rows_) {
      const std::int64_t count = std::min(tile_rows_, last - row);
      const bool whole = count == tile_rows_;
      if (whole && in_in_place) {
        in_memory.set_data_handle(in.row(row));
      } else {
        in.load(row, count, in_tile, in_);
        in_memory.set_data_handle(in_tile);
      }
      const bool direct = whole && out_in_place;
      out_memory.set_data_handle(direct ? out.row(row) : out_tile);
      if (!direct && accumulate) out.load(row, count, out_tile, out_);
      plan.primitive.execute(stream, arguments);
      if (spec_.activation == Activation::softplus) {
        const std::byte* made = direct ? out.row(row) : out_tile;
        store_softplus(out, row, count, reinterpret_cast<const float*>(made));
      } else if (!direct) {
        out.store(row, count, out_tile, out_);
      }
    }
    stream.wait();
  }

  ProductSpec spec_;
  std::int64_t tile_rows_ = product_tile_rows();
  Dtype in_;   ///< what the primitive reads
  Dtype out_;  ///< and writes
  ScratchPool* scratch_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  Plan plain_;
  Plan accumulating_;
  dnnl::memory weight_;
  dnnl::memory bias_;
};

bool has_instructions(dnnl::cpu_isa wanted) {
  // The bits of an instruction set contain those of the sets below it.
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

void check(const ProductSpec& spec) {
  if (spec.inputs < 1 || spec.outputs < 1 || spec.weight == nullptr) {
    throw InvalidArgument(
        fmt::format("product: a weight of at least 1 x 1 is needed, not {} x {}{}", spec.outputs,
                    spec.inputs, spec.weight == nullptr ? " at no address" : ""));
  }
  const bool softplus = spec.activation == Activation::softplus;
  if (softplus && spec.in != Dtype::f32) {
    throw InvalidArgument("product: softplus follows products of f32 inputs, not bf16");
  }
  if (spec.in == Dtype::f32 && spec.out != Dtype::f32 && !softplus) {
    throw InvalidArgument("product: f32 inputs give f32 outputs, not bf16");
  }
}

}  // namespace

bool has_bf16_products() {
  return has_instructions(dnnl::cpu_isa::avx512_core_bf16);
}

std::int64_t product_tile_rows() {
  return has_instructions(dnnl::cpu_isa::avx512_core) ? 128 : 384;
}

std::unique_ptr<PreparedProduct> prepare_product(const ProductSpec& spec, bool native_bf16,
                                                 ScratchPool& scratch) {
  check(spec);
  try {
    return std::make_unique<CpuProduct>(spec, native_bf16, scratch);
  } catch (const dnnl::error& error) {
    throw DeviceError(
        fmt::format("cpu: oneDNN cannot prepare a product of {} x {} {} weights ({} "
                    "bytes): {}",
                    spec.outputs, spec.inputs, dtype_name(spec.in),
                    spec.outputs * spec.inputs * element_bytes(spec.in), error.what()));
  }
}

void product(ThreadPool& pool, const ProductArgs& args) {
  const auto* prepared = dynamic_cast<const CpuProduct*>(args.product);
  if (prepared == nullptr) {
    throw InvalidArgument("product: it was not prepared by the CPU back end");
  }
  const ProductSpec& spec = prepared->spec();
  if (args.rows < 0 || args.in_row_stride < spec.inputs || args.out_row_stride < spec.outputs) {
    throw InvalidArgument(
        fmt::format("product: {} rows of strides {} and {} do not hold {} inputs and {} outputs",
                    args.rows, args.in_row_stride, args.out_row_stride, spec.inputs, spec.outputs));
  }
  if (args.accumulate && spec.activation == Activation::softplus) {
    throw InvalidArgument("product: what softplus gives is not added to an output");
  }
  try {
    prepared->run(pool, args);
  } catch (const dnnl::error& error) {
    throw DeviceError(
        fmt::format("cpu: oneDNN failed in a product of {} rows with {} x {} weights: "
                    "{}",
                    args.rows, spec.outputs, spec.inputs, error.what()));
  }
}

}  // namespace ssmgen::kernels::cpu
