#pragma once
// Matrix products on the CPU by oneDNN; the contract is kernels/product.hpp.

#include <memory>

#include "kernels/cpu/host_memory.hpp"
#include "kernels/cpu/thread_pool.hpp"
#include "kernels/product.hpp"

namespace ssmgen::kernels::cpu {

/// Whether this CPU multiplies bf16 in hardware and oneDNN uses it.
bool has_bf16_products();

/// Packs the weight and pins the algorithm. `native_bf16` false: bf16 inputs are widened tile by
/// tile and the product is formed in f32. `scratch` must outlive the result.
/// @throws InvalidArgument for a spec outside the contract, DeviceError when oneDNN refuses.
std::unique_ptr<PreparedProduct> prepare_product(const ProductSpec& spec, bool native_bf16,
                                                 ScratchPool& scratch);

/// @throws InvalidArgument for strides below the row lengths or a product of another back end.
void product(ThreadPool& pool, const ProductArgs& args);

}  // namespace ssmgen::kernels::cpu
