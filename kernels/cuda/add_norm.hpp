#pragma once

#include <cuda_runtime_api.h>

#include "kernels/add_norm.hpp"

namespace ssmgen::kernels::cuda {

void add_rms_norm(cudaStream_t stream, const AddNormArgs<float, float>& args);
void add_rms_norm(cudaStream_t stream, const AddNormArgs<bfloat16, bfloat16>& args);
void add_rms_norm(cudaStream_t stream, const AddNormArgs<bfloat16, float>& args);
void add_layer_norm(cudaStream_t stream, const AddNormArgs<float, float>& args);
void add_layer_norm(cudaStream_t stream, const AddNormArgs<bfloat16, bfloat16>& args);
void add_layer_norm(cudaStream_t stream, const AddNormArgs<bfloat16, float>& args);

}  // namespace ssmgen::kernels::cuda
