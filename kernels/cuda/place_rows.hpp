#pragma once

#include <cuda_runtime_api.h>

#include "kernels/place_rows.hpp"

namespace ssmgen::kernels::cuda {

void place_rows(cudaStream_t stream, const PlaceRowsArgs<float>& args);
void place_rows(cudaStream_t stream, const PlaceRowsArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
