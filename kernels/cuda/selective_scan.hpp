#pragma once

#include <cuda_runtime_api.h>

#include "kernels/selective_scan.hpp"

namespace ssmgen::kernels::cuda {

void selective_scan(cudaStream_t stream, const SelectiveScanArgs<float>& args);
void selective_scan(cudaStream_t stream, const SelectiveScanArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
