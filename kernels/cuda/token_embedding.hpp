#pragma once

#include <cuda_runtime_api.h>

#include "kernels/token_embedding.hpp"

namespace ssmgen::kernels::cuda {

void token_embedding(cudaStream_t stream, const TokenEmbeddingArgs<float>& args);
void token_embedding(cudaStream_t stream, const TokenEmbeddingArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cuda
