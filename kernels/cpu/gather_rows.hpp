#pragma once
// The gathering of rows on the CPU; the contract is kernels/gather_rows.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/gather_rows.hpp"

namespace ssmgen::kernels::cpu {

void gather_rows(ThreadPool& pool, const GatherRowsArgs<float>& args);
void gather_rows(ThreadPool& pool, const GatherRowsArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
