#pragma once
// out[i] = in[row_index[i]]: the rows a score reads, so that what follows runs on them alone.
//
// Shapes: in (any, channels) with a row stride, row_index (rows), out (rows, channels) dense.
// Carry: none. Bound by memory.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct GatherRowsArgs {
  const T* in = nullptr;
  std::int64_t in_row_stride = 0;  ///< elements
  const std::int64_t* row_index = nullptr;
  T* out = nullptr;
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

}  // namespace ssmgen::kernels
