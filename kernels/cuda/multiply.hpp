#pragma once

#include <cuda_runtime_api.h>

#include "kernels/multiply.hpp"

namespace ssmgen::kernels::cuda {

void multiply(cudaStream_t stream, const MultiplyArgs<float>& args);
void multiply(cudaStream_t stream, const MultiplyArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
