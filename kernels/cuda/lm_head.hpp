#pragma once

#include <cuda_runtime_api.h>

#include "kernels/lm_head.hpp"

namespace ssmgen::kernels::cuda {

void lm_head(cudaStream_t stream, const LmHeadArgs<float>& args);
void lm_head(cudaStream_t stream, const LmHeadArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
