#pragma once
// The elementwise product on the CPU; the contract is kernels/multiply.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/multiply.hpp"

namespace ssmgen::kernels::cpu {

void multiply(ThreadPool& pool, const MultiplyArgs<float>& args);
void multiply(ThreadPool& pool, const MultiplyArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
