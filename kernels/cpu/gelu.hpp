#pragma once
// The exact GELU on the CPU; the contract is kernels/gelu.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/gelu.hpp"

namespace ssmgen::kernels::cpu {

void gelu(ThreadPool& pool, const GeluArgs<float>& args);
void gelu(ThreadPool& pool, const GeluArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
