#pragma once

#include <cuda_runtime_api.h>

#include "kernels/glu.hpp"

namespace ssmgen::kernels::cuda {

void glu(cudaStream_t stream, const GluArgs<float>& args);
void glu(cudaStream_t stream, const GluArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
