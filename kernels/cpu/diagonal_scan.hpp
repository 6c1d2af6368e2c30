#pragma once
// The diagonal scan on the CPU; the contract is kernels/diagonal_scan.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/diagonal_scan.hpp"

namespace ssmgen::kernels::cpu {

void diagonal_scan(ThreadPool& pool, const DiagonalScanArgs<float>& args);
void diagonal_scan(ThreadPool& pool, const DiagonalScanArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
