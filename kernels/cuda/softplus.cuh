#pragma once
// softplus for results of 8 bits, from what tensor cores give.

#include "kernels/cuda/elements.cuh"

namespace ssmgen::kernels::cuda {

/// log(1 + e^v) of x = v log2 e: relative error 2^-10, below x = -11.5 none but that of 2^x.
[[maybe_unused]] __device__ __forceinline__ float softplus_from_log2(float x) {
  constexpr float small = -11.5f;  // from where on 2^x is all of it
  constexpr float ln_2 = 0.6931471805599453f;
  const float limited = fminf(x, 126.0f);
  const float e = exp2_fast(limited);
  float log2_of;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(log2_of) : "f"(1.0f + e));
  return (x < small ? e * log2_e : fmaxf(log2_of, x)) * ln_2;
}

}  // namespace ssmgen::kernels::cuda
