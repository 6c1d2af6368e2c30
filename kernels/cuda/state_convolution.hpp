#pragma once

#include <cuda_runtime_api.h>

#include "kernels/state_convolution.hpp"

namespace ssmgen::kernels::cuda {

void state_convolution(cudaStream_t stream, const StateConvolutionArgs<float>& args);
void state_convolution(cudaStream_t stream, const StateConvolutionArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
