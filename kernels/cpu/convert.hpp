#pragma once
// Between the two storage types.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels::cpu {

/// Exact.
void widen(const bfloat16* from, std::int64_t count, float* to);
/// Rounds as bfloat16's constructor does.
void narrow(const float* from, std::int64_t count, bfloat16* to);

}  // namespace ssmgen::kernels::cpu
