// What cuBLASLt offers for a product in bf16, timed on this machine's card:
//   nvcc -std=c++20 -O2 -arch=native tests/bench/list_algorithms.cu -lcublasLt -o list_algorithms
//   ./list_algorithms OUTPUTS INPUTS [OUTPUTS INPUTS ...]
// One line an offer, the library's first one first: tile, cluster, microseconds for 65,536 rows,
// TFLOP/s, and whether the results have the bits of the first one's. What kernels/cuda/product.cu
// knows of tiles was found so.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cublasLt.h>
#include <cuda_runtime.h>
#include <random>
#include <span>
#include <vector>

namespace {

constexpr std::int64_t rows = std::int64_t{1} << 16;
constexpr int most_offers = 24;

void check(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "list_algorithms: CUDA: %s\n", cudaGetErrorString(status));
  std::exit(1);
}
void check(cublasStatus_t status) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  std::fprintf(stderr, "list_algorithms: cuBLASLt: %s\n", cublasLtGetStatusString(status));
  std::exit(1);
}

// Random bf16, of either sign and between 2^-8 and 1, on the card.
void* random_bf16(std::int64_t count) {
  std::mt19937 random(7);
  std::vector<std::uint16_t> values(static_cast<std::size_t>(count));
  for (std::uint16_t& value : values) {
    const auto bits = random();
    value = static_cast<std::uint16_t>((bits & 0x8000u) | (0x3b80u + bits % 0x400u));
  }
  void* result = nullptr;
  check(cudaMalloc(&result, values.size() * sizeof(values[0])));
  check(
      cudaMemcpy(result, values.data(), values.size() * sizeof(values[0]), cudaMemcpyHostToDevice));
  return result;
}

template <class T>
T attribute_of(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulAlgoConfigAttributes_t what) {
  T value{};
  check(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, what, &value, sizeof(value), nullptr));
  return value;
}

// The fastest of some passes.
template <class Pass>
float microseconds(Pass&& pass) {
  constexpr int passes = 5;
  constexpr int calls = 10;
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  check(cudaEventCreate(&begin));
  check(cudaEventCreate(&end));
  float best = 0.0f;
  for (int i = 0; i <= passes; ++i) {  // the first warms up
    check(cudaEventRecord(begin));
    for (int call = 0; call < calls; ++call) pass();
    check(cudaEventRecord(end));
    check(cudaEventSynchronize(end));
    float milliseconds = 0.0f;
    check(cudaEventElapsedTime(&milliseconds, begin, end));
    const float each = milliseconds * 1000.0f / calls;
    if (i == 1 || (i > 1 && each < best)) best = each;
  }
  check(cudaEventDestroy(begin));
  check(cudaEventDestroy(end));
  return best;
}

void list(cublasLtHandle_t handle, std::int64_t outputs, std::int64_t inputs) {
  void* weight = random_bf16(outputs * inputs);
  void* in = random_bf16(rows * inputs);
  const auto out_bytes = static_cast<std::size_t>(rows * outputs) * sizeof(std::uint16_t);
  void* out = nullptr;
  check(cudaMalloc(&out, out_bytes));
  cublasLtMatmulDesc_t operation = nullptr;
  check(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  const cublasOperation_t transposed = CUBLAS_OP_T;
  check(cublasLtMatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                       sizeof(transposed)));
  const auto layout = [](std::int64_t height, std::int64_t width) {
    cublasLtMatrixLayout_t result = nullptr;
    check(cublasLtMatrixLayoutCreate(&result, CUDA_R_16BF, static_cast<std::uint64_t>(height),
                                     static_cast<std::uint64_t>(width), height));
    return result;
  };
  const auto weight_layout = layout(inputs, outputs);
  const auto in_layout = layout(inputs, rows);
  const auto out_layout = layout(outputs, rows);
  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtMatmulPreferenceCreate(&preference));
  const std::uint32_t no_reduction = CUBLASLT_REDUCTION_SCHEME_NONE;
  check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                             &no_reduction, sizeof(no_reduction)));
  cublasLtMatmulHeuristicResult_t offers[most_offers];
  int count = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, operation, weight_layout, in_layout, out_layout,
                                       out_layout, preference, most_offers, offers, &count));
  std::vector<char> first(out_bytes);
  std::vector<char> found(out_bytes);
  for (const auto& offer : std::span(offers, static_cast<std::size_t>(count))) {
    const float one = 1.0f;
    const float zero = 0.0f;
    const float time = microseconds([&] {
      check(cublasLtMatmul(handle, operation, &one, weight, weight_layout, in, in_layout, &zero,
                           out, out_layout, out, out_layout, &offer.algo, nullptr, 0, nullptr));
    });
    const bool is_first = &offer == offers;
    check(
        cudaMemcpy(is_first ? first.data() : found.data(), out, out_bytes, cudaMemcpyDeviceToHost));
    std::printf("%lld x %lld  tile %3u  cluster %2u  %8.1f us  %4.0f TFLOP/s  %s\n",
                static_cast<long long>(outputs), static_cast<long long>(inputs),
                attribute_of<std::uint32_t>(offer.algo, CUBLASLT_ALGO_CONFIG_TILE_ID),
                attribute_of<std::uint16_t>(offer.algo, CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID),
                time, 2.0 * static_cast<double>(rows * outputs * inputs) / time / 1e6,
                is_first || found == first ? "same bits" : "other bits");
  }
  check(cublasLtMatmulPreferenceDestroy(preference));
  for (const auto each : {weight_layout, in_layout, out_layout}) {
    check(cublasLtMatrixLayoutDestroy(each));
  }
  check(cublasLtMatmulDescDestroy(operation));
  for (void* each : {weight, in, out}) check(cudaFree(each));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) {
    std::fprintf(stderr, "usage: list_algorithms OUTPUTS INPUTS [OUTPUTS INPUTS ...]\n");
    return 2;
  }
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle));
  for (int i = 1; i < argc; i += 2) list(handle, std::atoll(argv[i]), std::atoll(argv[i + 1]));
  check(cublasLtDestroy(handle));
}
