#pragma once
// out[row] = weight[map[ids[row]]]
//
// Shapes: ids (rows), weight (vocabulary, channels), out (rows, channels), all dense row-major.
// Carry: none. Traffic: rows * channels * 2 elements; bound by memory.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct TokenEmbeddingArgs {
  const std::int32_t* ids = nullptr;     ///< each in [0, vocabulary): the caller has checked
  const std::int32_t* id_map = nullptr;  ///< (vocabulary) or null: complement of the minus strand
  const T* weight = nullptr;
  T* out = nullptr;
  std::int64_t rows = 0;
  std::int64_t channels = 0;
};

}  // namespace ssmgen::kernels
