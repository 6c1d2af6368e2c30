#pragma once
// The convolution with a carried state on the CPU; the contract is kernels/state_convolution.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/state_convolution.hpp"

namespace ssmgen::kernels::cpu {

void state_convolution(ThreadPool& pool, const StateConvolutionArgs<float>& args);
void state_convolution(ThreadPool& pool, const StateConvolutionArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
