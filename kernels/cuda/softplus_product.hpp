#pragma once
// Mamba's time step, softplus(weight . in + bias), as a product with its activation.

#include <memory>

#include "kernels/cuda/product.hpp"

namespace ssmgen::kernels::cuda {

/// @throws InvalidArgument unless `in` is f32.
std::unique_ptr<CudaPreparedProduct> prepare_softplus_product(const ProductSpec& spec);

}  // namespace ssmgen::kernels::cuda
