#pragma once

#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::kernels::cpu {

/// Exponentials a second of a loop that does nothing else, on all threads of the pool; takes some
/// 200 ms.
double measure_exponential_rate(ThreadPool& pool);

/// f32 multiply-adds a second on all threads of the pool, between registers.
double measure_multiply_add_rate(ThreadPool& pool);

}  // namespace ssmgen::kernels::cpu
