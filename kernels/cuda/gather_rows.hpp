#pragma once

#include <cuda_runtime_api.h>

#include "kernels/gather_rows.hpp"

namespace ssmgen::kernels::cuda {

void gather_rows(cudaStream_t stream, const GatherRowsArgs<float>& args);
void gather_rows(cudaStream_t stream, const GatherRowsArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
