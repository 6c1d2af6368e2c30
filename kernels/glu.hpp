#pragma once
// The gated linear unit: out[row, c] = in[row, c] * sigmoid(in[row, channels + c]).
//
// Shapes: in (rows, 2 * channels), out (rows, channels), both dense. Formed in f32.
// Carry: none. Bound by memory where the caches do not hold it.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct GluArgs {
  const T* in = nullptr;
  T* out = nullptr;
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

}  // namespace ssmgen::kernels
