// out = in . weight^T + bias by cuBLASLt (contract: kernels/product.hpp). Row-major arrays are seen
// as column-major ones: out^T (outputs x rows) = weight (outputs x inputs) . in^T.
//
// The algorithm is chosen once, for a large number of rows, among those without split-K, and used
// for every number of rows: the order of a row's sums is then the algorithm's alone.
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/product.hpp"
#include "kernels/cuda/softplus_product.hpp"

namespace ssmgen::kernels::cuda {
namespace {

// What the algorithm is chosen for; also the most rows a call is cut into, so that one launch
// never meets 32-bit sizes.
constexpr std::int64_t planned_rows = std::int64_t{1} << 16;

constexpr int most_offers = 8;

// The tile that won on an H200 where it was not that of the library's first offer, by
// tests/bench/list_algorithms.cu: widths of Caduceus (256) and PlantCaduceus, in bf16.
struct MeasuredTile {
  std::int64_t outputs;
  std::int64_t inputs;
  cublasLtMatmulTile_t tile;
};
constexpr std::array measured_tiles{
    MeasuredTile{512, 256, CUBLASLT_MATMUL_TILE_176x128},
    MeasuredTile{256, 512, CUBLASLT_MATMUL_TILE_128x128},
    MeasuredTile{768, 384, CUBLASLT_MATMUL_TILE_128x160},
    MeasuredTile{384, 768, CUBLASLT_MATMUL_TILE_128x128},
    MeasuredTile{1024, 512, CUBLASLT_MATMUL_TILE_176x128},
    MeasuredTile{512, 1024, CUBLASLT_MATMUL_TILE_176x128},
    MeasuredTile{1536, 768, CUBLASLT_MATMUL_TILE_128x160},
    MeasuredTile{768, 1536, CUBLASLT_MATMUL_TILE_128x160},
    MeasuredTile{2048, 1024, CUBLASLT_MATMUL_TILE_256x128},
    MeasuredTile{1024, 2048, CUBLASLT_MATMUL_TILE_128x160},
};

bool has_tile(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulTile_t tile) {
  std::uint32_t own = CUBLASLT_MATMUL_TILE_UNDEFINED;
  return cublasLtMatmulAlgoConfigGetAttribute(&algorithm, CUBLASLT_ALGO_CONFIG_TILE_ID, &own,
                                              sizeof(own), nullptr) == CUBLAS_STATUS_SUCCESS &&
         own == static_cast<std::uint32_t>(tile);
}

void check(cublasStatus_t status, const std::string& what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError("cuBLASLt: " + what + ": " + cublasLtGetStatusString(status));
}

cudaDataType_t data_type(Dtype dtype) {
  return dtype == Dtype::f32 ? CUDA_R_32F : CUDA_R_16BF;
}

std::string describe(const ProductSpec& spec) {
  return "product of " + std::to_string(spec.inputs) + " inputs and " +
         std::to_string(spec.outputs) + " outputs in " + std::string(dtype_name(spec.in));
}

class Layout {
 public:
  Layout(Dtype dtype, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
    check(cublasLtMatrixLayoutCreate(&layout_, data_type(dtype), static_cast<std::uint64_t>(rows),
                                     static_cast<std::uint64_t>(columns), stride),
          "matrix layout");
  }
  ~Layout() { cublasLtMatrixLayoutDestroy(layout_); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  cublasLtMatrixLayout_t get() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

class LibraryProduct final : public CudaPreparedProduct {
 public:
  LibraryProduct(cublasLtHandle_t handle, const ProductSpec& spec)
      : handle_(handle),
        spec_(spec),
        weight_(spec.weight, spec.inputs * spec.outputs, spec.in),
        bias_(spec.bias, spec.outputs, spec.out) {
    spec_.weight = nullptr;  // the caller's memory is read here and no more
    spec_.bias = nullptr;
    check(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F), describe(spec));
    const cublasOperation_t transposed = CUBLAS_OP_T;
    check(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                         sizeof(transposed)),
          describe(spec));
    if (const void* bias = bias_.data(); bias != nullptr) {
      const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
      const cudaDataType_t bias_type = data_type(spec.out);
      check(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                           sizeof(epilogue)),
            describe(spec));
      check(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                           sizeof(bias)),
            describe(spec));
      check(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE,
                                           &bias_type, sizeof(bias_type)),
            describe(spec));
    }
    choose_algorithm();
  }
  ~LibraryProduct() override { cublasLtMatmulDescDestroy(operation_); }

  void run(cudaStream_t stream, const ProductArgs& args) const override {
    for (std::int64_t first = 0; first < args.rows; first += planned_rows) {
      const std::int64_t rows = std::min(planned_rows, args.rows - first);
      const Layout weight(spec_.in, spec_.inputs, spec_.outputs, spec_.inputs);
      const Layout in(spec_.in, spec_.inputs, rows, args.in_row_stride);
      const Layout out(spec_.out, spec_.outputs, rows, args.out_row_stride);
      const auto* from =
          static_cast<const char*>(args.in) + first * args.in_row_stride * element_bytes(spec_.in);
      auto* to =
          static_cast<char*>(args.out) + first * args.out_row_stride * element_bytes(spec_.out);
      const float one = 1.0f;
      const float keep = args.accumulate ? 1.0f : 0.0f;
      check(cublasLtMatmul(handle_, operation_, &one, weight_.data(), weight.get(), from, in.get(),
                           &keep, to, out.get(), to, out.get(), &algorithm_, nullptr, 0, stream),
            describe(spec_) + " of " + std::to_string(rows) + " rows");
    }
  }

 private:
  void choose_algorithm() {
    cublasLtMatmulPreference_t preference = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preference), describe(spec_));
    const std::size_t workspace_bytes = 0;
    const std::uint32_t no_reduction = CUBLASLT_REDUCTION_SCHEME_NONE;
    // Rows are taken apart from where they lie: odd strides (dt's columns) stay readable.
    const std::uint32_t in_alignment = 4;
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                         &workspace_bytes, sizeof(workspace_bytes));
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                         &no_reduction, sizeof(no_reduction));
    if (spec_.in == Dtype::f32) {
      cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                           &in_alignment, sizeof(in_alignment));
    }
    const Layout weight(spec_.in, spec_.inputs, spec_.outputs, spec_.inputs);
    const Layout in(spec_.in, spec_.inputs, planned_rows, spec_.inputs);
    const Layout out(spec_.out, spec_.outputs, planned_rows, spec_.outputs);
    std::array<cublasLtMatmulHeuristicResult_t, most_offers> offers{};
    int count = 0;
    const cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(handle_, operation_, weight.get(), in.get(), out.get(),
                                       out.get(), preference, most_offers, offers.data(), &count);
    cublasLtMatmulPreferenceDestroy(preference);
    check(status, describe(spec_));
    if (count == 0) throw DeviceError("cuBLASLt: no algorithm for a " + describe(spec_));
    algorithm_ = preferred(std::span(offers).first(static_cast<std::size_t>(count)));
  }

  cublasLtMatmulAlgo_t preferred(std::span<const cublasLtMatmulHeuristicResult_t> offers) const {
    const cublasLtMatmulAlgo_t& first = offers.front().algo;
    if (spec_.in != Dtype::bf16 || spec_.out != Dtype::bf16 ||
        current_attribute(cudaDevAttrComputeCapabilityMajor) != 9) {
      return first;
    }
    const auto measured = std::ranges::find_if(measured_tiles, [&](const MeasuredTile& entry) {
      return entry.outputs == spec_.outputs && entry.inputs == spec_.inputs;
    });
    if (measured == measured_tiles.end()) return first;
    const auto found = std::ranges::find_if(
        offers, [&](const auto& offer) { return has_tile(offer.algo, measured->tile); });
    return found == offers.end() ? first : found->algo;
  }

  cublasLtHandle_t handle_;
  ProductSpec spec_;
  DeviceValues weight_;
  DeviceValues bias_;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace

DeviceValues::DeviceValues(const float* values, std::int64_t count, Dtype dtype) {
  if (values == nullptr) return;
  const auto bytes = static_cast<std::size_t>(count * element_bytes(dtype));
  cuda::check(cudaMalloc(&data_, bytes), std::to_string(bytes) + " bytes for a weight");
  const void* source = values;
  std::vector<bfloat16> rounded;
  if (dtype == Dtype::bf16) {
    rounded = std::vector<bfloat16>(values, values + count);
    source = rounded.data();
  }
  cuda::check(cudaMemcpy(data_, source, bytes, cudaMemcpyHostToDevice), "weight upload");
}
DeviceValues::~DeviceValues() {
  cudaFree(data_);
}

Products::Products() {
  check(cublasLtCreate(&handle_), "start");
}
Products::~Products() {
  cublasLtDestroy(handle_);
}

std::unique_ptr<PreparedProduct> Products::prepare(const ProductSpec& spec) {
  if (spec.activation == Activation::softplus) return prepare_softplus_product(spec);
  if (spec.in == Dtype::f32 && spec.out != Dtype::f32) {
    throw InvalidArgument("a product of f32 writes f32");
  }
  return std::make_unique<LibraryProduct>(handle_, spec);
}

}  // namespace ssmgen::kernels::cuda
