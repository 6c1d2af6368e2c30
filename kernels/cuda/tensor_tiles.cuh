#pragma once
// Products of small tiles on tensor cores in TF32 or bf16, f32 sums. A warp's lane is (lane / 4,
// lane % 4): its row and column in the fragments below. From sm_80 on; below nothing may call them.

#include <bit>
#include <cstdint>

namespace ssmgen::kernels::cuda {

/// Rounded to the 11 bits that a tensor core reads.
[[maybe_unused]] __device__ __forceinline__ std::uint32_t to_tf32(float value) {
  std::uint32_t result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(value));
  return result;
}

/// On the host, halves away from zero.
inline float round_to_tf32_on_host(float value) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x1000u) & 0xffffe000u);
}

/// The same in one addition, for what is no NaN: the bits below are never read.
[[maybe_unused]] __device__ __forceinline__ std::uint32_t round_to_tf32(float value) {
  return __float_as_uint(value) + 0x1000u;
}

/// d += a . b, a 16 x 8: (row, column), (row + 8, column), (row, column + 4), (row + 8, column +
/// 4); b 8 x 8: (k, column) of k = lane % 4 and 4 more, column lane / 4; d 16 x 8: (row, 2 column),
/// (row, 2 column + 1), and both of row + 8.
[[maybe_unused]] __device__ __forceinline__ void multiply_tile(const std::uint32_t (&a)[4],
                                                               const std::uint32_t (&b)[2],
                                                               float (&d)[4]) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/// The same in bf16, a 16 x 16 and b 16 x 8: where TF32 has one k, here are the pairs of k 2 (lane
/// % 4) and the next, and of 8 more.
[[maybe_unused]] __device__ __forceinline__ void multiply_bf16_tile(const std::uint32_t (&a)[4],
                                                                    const std::uint32_t (&b)[2],
                                                                    float (&d)[4]) {
#if __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
      "{%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

}  // namespace ssmgen::kernels::cuda
