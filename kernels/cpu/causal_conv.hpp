#pragma once
// The causal depthwise convolution with SiLU on the CPU; the contract is kernels/causal_conv.hpp.

#include "kernels/causal_conv.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::kernels::cpu {

/// @throws InvalidArgument when args.width is not in [1, 16].
void causal_conv(ThreadPool& pool, const CausalConvArgs<float>& args);
void causal_conv(ThreadPool& pool, const CausalConvArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
