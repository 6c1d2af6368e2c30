#pragma once
// softplus over a row: what follows the product of Mamba's time step.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels::cpu {

/// to[i] = log(1 + e^from[i]); to may be from.
void softplus(const float* from, std::int64_t count, float* to);
void softplus(const float* from, std::int64_t count, bfloat16* to);

}  // namespace ssmgen::kernels::cpu
