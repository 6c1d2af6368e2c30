#pragma once

#include <cuda_runtime_api.h>

#include "kernels/selective_scan.hpp"

namespace ssmgen::kernels::cuda {

/// Whether the scan of such sequences, in dense rows, is not cut: then a call's positions may end
/// anywhere without changing a bit.
bool is_uncut(const SweepShape& shape);

void selective_scan(cudaStream_t stream, const SelectiveScanArgs<float>& args);
void selective_scan(cudaStream_t stream, const SelectiveScanArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
