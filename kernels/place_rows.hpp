#pragma once
// out[i, place(c)] = f32(in[i, c]) (+ residual[i, c]): rows put into their half of a wider array,
// as what is handed out of a model has them. place(c) is c, or channels - 1 - c for reversed rows,
// which those of the minus strand are.
//
// Shapes: in, residual, out (rows, channels), each with a row stride.
// Carry: none. Bound by memory.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct PlaceRowsArgs {
  const T* in = nullptr;
  std::int64_t in_row_stride = 0;   ///< elements
  const float* residual = nullptr;  ///< null for none
  std::int64_t residual_row_stride = 0;
  float* out = nullptr;
  std::int64_t out_row_stride = 0;
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  bool reversed = false;
};

}  // namespace ssmgen::kernels
