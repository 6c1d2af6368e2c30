#pragma once
// The gated linear unit on the CPU; the contract is kernels/glu.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/glu.hpp"

namespace ssmgen::kernels::cpu {

void glu(ThreadPool& pool, const GluArgs<float>& args);
void glu(ThreadPool& pool, const GluArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
