#pragma once
// out[i] = x * Phi(x) for x = in[i], Phi the normal distribution (the exact form, by erf).
//
// Shapes: in, out (count) dense; out may be in. Formed in f32.
// Carry: none. Bound by memory where the caches do not hold it.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct GeluArgs {
  const T* in = nullptr;
  T* out = nullptr;
  std::int64_t count = 0;
};

}  // namespace ssmgen::kernels
