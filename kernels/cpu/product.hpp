#pragma once
// Matrix products on the CPU by oneDNN; the contract is kernels/product.hpp.

#include <cstdint>
#include <memory>

#include "kernels/cpu/host_memory.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "kernels/product.hpp"

namespace ssmgen::kernels::cpu {

/// Whether this CPU multiplies bf16 in hardware and oneDNN uses it.
bool has_bf16_products();

/// Rows of one call of oneDNN. Measured (tests/bench/bench_product.cpp): with its AVX-512 kernels
/// 64 rows lose up to 5 % of the speed, 512 win 2 % and would leave threads without work on short
/// inputs; without them, fewer than 384 rows lose 40 % for more than 1,000 outputs.
std::int64_t product_tile_rows();

/// Packs the weight and pins the algorithm. `native_bf16` false: bf16 inputs are widened tile by
/// tile and the product is formed in f32. `scratch` must outlive the result.
/// @throws InvalidArgument for a spec outside the contract, DeviceError when oneDNN refuses.
std::unique_ptr<PreparedProduct> prepare_product(const ProductSpec& spec, bool native_bf16,
                                                 ScratchPool& scratch);

/// @throws InvalidArgument for strides below the row lengths or a product of another back end.
void product(ThreadPool& pool, const ProductArgs& args);

}  // namespace ssmgen::kernels::cpu
