#pragma once
// softplus for results of 8 bits, from what tensor cores give.

#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {

/// log(1 + e^v) of x = v log2 e: relative error 2^-10. Where it is e^v but for so much, that is the
/// smaller one, for the other is a little too large: by more than what its sum and logarithm lose.
[[maybe_unused]] __device__ __forceinline__ float softplus_from_log2(float x) {
  constexpr float one = 1.0f + 4.76837158203125e-7f;  // and 2^-21
  constexpr float ln_2 = 0.6931471805599453f;
  const float e = exp2_fast(fminf(x, 126.0f));
  float log2_of;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(log2_of) : "f"(one + e));
  return fminf(fmaxf(log2_of, x) * ln_2, e);
}

}  // namespace ssmgen::kernels::cuda
