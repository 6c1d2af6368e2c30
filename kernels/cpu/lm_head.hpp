#pragma once
// The LM head on the CPU; the contract is kernels/lm_head.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/lm_head.hpp"

namespace ssmgen::kernels::cpu {

/// @throws InvalidArgument for minus without complement.
void lm_head(ThreadPool& pool, const LmHeadArgs<float>& args);
void lm_head(ThreadPool& pool, const LmHeadArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
