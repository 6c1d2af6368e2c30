#pragma once
// out[i] = a[i] * b[i]: joins the two directions of a block whose strategy is ew_multiply.
//
// Shapes: a, b, out (count) dense; out may be a or b. The product is formed in f32.
// Carry: none. Bound by memory.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct MultiplyArgs {
  const T* a = nullptr;
  const T* b = nullptr;
  T* out = nullptr;
  std::int64_t count = 0;
};

}  // namespace ssmgen::kernels
