#pragma once
// The selective scan on the CPU; the contract is kernels/selective_scan.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/selective_scan.hpp"

namespace ssmgen::kernels::cpu {

/// @throws InvalidArgument when args.states is not in [1, 256].
void selective_scan(ThreadPool& pool, const SelectiveScanArgs<float>& args);
void selective_scan(ThreadPool& pool, const SelectiveScanArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
