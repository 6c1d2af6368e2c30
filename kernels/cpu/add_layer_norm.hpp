#pragma once
// The residual add and LayerNorm on the CPU; the contract is kernels/add_norm.hpp.

#include "kernels/add_norm.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::kernels::cpu {

void add_layer_norm(ThreadPool& pool, const AddNormArgs<float, float>& args);
void add_layer_norm(ThreadPool& pool, const AddNormArgs<bfloat16, bfloat16>& args);
void add_layer_norm(ThreadPool& pool, const AddNormArgs<bfloat16, float>& args);

}  // namespace ssmgen::kernels::cpu
