#pragma once

#include <cuda_runtime_api.h>

#include "kernels/gelu.hpp"

namespace ssmgen::kernels::cuda {

void gelu(cudaStream_t stream, const GeluArgs<float>& args);
void gelu(cudaStream_t stream, const GeluArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
