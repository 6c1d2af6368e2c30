#pragma once
// The floor of kernels bound by multiply-adds.

#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::bench {

/// FLOP/s of f32 multiply-adds between registers on all threads of the pool; the best of many
/// short runs.
double fma_flop_per_second(kernels::cpu::ThreadPool& pool);

}  // namespace ssmgen::bench
