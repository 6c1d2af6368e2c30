#pragma once
// Loads and stores of f32 and bf16 as f32, one or sixteen bytes at a time.

#include <cstdint>
#include <cuda_bf16.h>

#include "kernels/common.hpp"

namespace ssmgen::kernels::cuda {

__device__ __forceinline__ float to_float(float value) {
  return value;
}
__device__ __forceinline__ float to_float(bfloat16 value) {
  return __uint_as_float(static_cast<std::uint32_t>(value.bits) << 16);
}

template <class T>
__device__ __forceinline__ T from_float(float value);
template <>
__device__ __forceinline__ float from_float<float>(float value) {
  return value;
}
template <>
__device__ __forceinline__ bfloat16 from_float<bfloat16>(float value) {
  bfloat16 result;
  result.bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
  return result;
}

/// Two values as two bf16, the first in the lower half.
__device__ __forceinline__ std::uint32_t bf16_pair(float first, float second) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(first, second);
  return *reinterpret_cast<const std::uint32_t*>(&pair);
}

__device__ __forceinline__ void widen_pair(std::uint32_t pair, float (&to)[2]) {
  to[0] = __uint_as_float(pair << 16);
  to[1] = __uint_as_float(pair & 0xffff0000u);
}

/// Two neighbours, aligned to both.
__device__ __forceinline__ void get_pair(const float* from, float (&to)[2]) {
  const float2 value = *reinterpret_cast<const float2*>(from);
  to[0] = value.x;
  to[1] = value.y;
}
__device__ __forceinline__ void get_pair(const bfloat16* from, float (&to)[2]) {
  widen_pair(*reinterpret_cast<const std::uint32_t*>(from), to);
}
__device__ __forceinline__ void put_pair(const float (&from)[2], float* to) {
  *reinterpret_cast<float2*>(to) = make_float2(from[0], from[1]);
}
__device__ __forceinline__ void put_pair(const float (&from)[2], bfloat16* to) {
  *reinterpret_cast<std::uint32_t*>(to) = bf16_pair(from[0], from[1]);
}

/// To what a T holds of them.
template <class T>
__device__ __forceinline__ void round_pair(float (&values)[2]) {
  if constexpr (sizeof(T) == 2) widen_pair(bf16_pair(values[0], values[1]), values);
}

/// Elements in sixteen bytes.
template <class T>
inline constexpr int vector_elements = 16 / static_cast<int>(sizeof(T));

/// Sixteen aligned bytes of memory as f32.
__device__ __forceinline__ void load_vector(const float* from, float (&to)[4]) {
  const float4 value = *reinterpret_cast<const float4*>(from);
  to[0] = value.x;
  to[1] = value.y;
  to[2] = value.z;
  to[3] = value.w;
}
__device__ __forceinline__ void load_vector(const bfloat16* from, float (&to)[8]) {
  const uint4 value = *reinterpret_cast<const uint4*>(from);
  const std::uint32_t words[4] = {value.x, value.y, value.z, value.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    widen_pair(words[i], reinterpret_cast<float(&)[2]>(to[2 * i]));
  }
}
__device__ __forceinline__ void store_vector(const float (&from)[4], float* to) {
  *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
}
// In PTX, since the compiler takes a store of a uint4 apart again as it likes.
__device__ __forceinline__ void store_vector(const float (&from)[8], bfloat16* to) {
  std::uint32_t words[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    words[i] = bf16_pair(from[2 * i], from[2 * i + 1]);
  }
  asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)),
               "r"(words[0]), "r"(words[1]), "r"(words[2]), "r"(words[3]));
}

/// 2^x, relative error 2^-22, subnormal results flushed to zero.
__device__ __forceinline__ float exp2_fast(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

/// 1 / x, relative error 2^-23, subnormal results flushed to zero.
__device__ __forceinline__ float reciprocal_fast(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

inline constexpr float log2_e = 1.4426950408889634f;

/// log(1 + e^x) as max(x, 0) + log1p(e^-|x|), log1p(e) = e + e^2 s(e) on [0, 1] with the minimax
/// polynomial of the CPU kernels (cpu/simd_math.hpp): relative error 3e-7.
__device__ __forceinline__ float softplus(float x) {
  const float e = exp2_fast(-fabsf(x) * log2_e);
  float s = -3.318472300e-03f;
  s = fmaf(s, e, 2.020458132e-02f);
  s = fmaf(s, e, -5.766443536e-02f);
  s = fmaf(s, e, 1.068055406e-01f);
  s = fmaf(s, e, -1.535539478e-01f);
  s = fmaf(s, e, 1.969539970e-01f);
  s = fmaf(s, e, -2.495858669e-01f);
  s = fmaf(s, e, 3.333051205e-01f);
  s = fmaf(s, e, -4.999993145e-01f);
  return fmaxf(x, 0.0f) + fmaf(e * e, s, e);
}

/// x / (1 + e^-x).
__device__ __forceinline__ float silu(float x) {
  return __fdividef(x, 1.0f + exp2_fast(x * -log2_e));
}

/// A grid for a loop over `count` things with a stride of the whole grid.
inline constexpr int threads_of_grid = 256;
inline unsigned grid_of(std::int64_t count) {
  constexpr std::int64_t most_blocks = std::int64_t{1} << 20;
  const std::int64_t blocks = (count + threads_of_grid - 1) / threads_of_grid;
  return static_cast<unsigned>(blocks < most_blocks ? blocks : most_blocks);
}

/// True when rows of this stride from this address can be read in sixteen-byte vectors.
template <class T>
bool is_vector_aligned(const T* data, std::int64_t stride) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 &&
         stride * static_cast<std::int64_t>(sizeof(T)) % 16 == 0;
}

}  // namespace ssmgen::kernels::cuda
