#pragma once
// The token embedding on the CPU; the contract is kernels/token_embedding.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/token_embedding.hpp"

namespace ssmgen::kernels::cpu {

void token_embedding(ThreadPool& pool, const TokenEmbeddingArgs<float>& args);
void token_embedding(ThreadPool& pool, const TokenEmbeddingArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
