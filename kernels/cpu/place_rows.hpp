#pragma once
// The placing of rows on the CPU; the contract is kernels/place_rows.hpp.

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/place_rows.hpp"

namespace ssmgen::kernels::cpu {

void place_rows(ThreadPool& pool, const PlaceRowsArgs<float>& args);
void place_rows(ThreadPool& pool, const PlaceRowsArgs<bfloat16>& args);

}  // namespace ssmgen::kernels::cpu
