#pragma once

#include <cuda_runtime_api.h>

#include "kernels/causal_conv.hpp"

namespace ssmgen::kernels::cuda {

void causal_conv(cudaStream_t stream, const CausalConvArgs<float>& args);
void causal_conv(cudaStream_t stream, const CausalConvArgs<bfloat16>& args);
/// Only what causal_conv leaves in carry_out, of width 4.
void keep_last_inputs(cudaStream_t stream, const CausalConvArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
