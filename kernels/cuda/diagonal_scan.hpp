#pragma once

#include <cuda_runtime_api.h>

#include "kernels/diagonal_scan.hpp"

namespace ssmgen::kernels::cuda {

void diagonal_scan(cudaStream_t stream, const DiagonalScanArgs<float>& args);
void diagonal_scan(cudaStream_t stream, const DiagonalScanArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
