#pragma once
// logits[row, v] = plus[row] . weight[v]  (+ minus[row] . weight[complement[v]])
//
// Shapes: plus, minus (rows, channels) dense; weight (vocabulary, channels) f32; complement
// (vocabulary); logits (rows, vocabulary) f32. minus null: one strand. Sums in f32.
// Carry: none. Traffic: rows * channels * strands * T; bound by memory for DNA vocabularies.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

template <class T>
struct LmHeadArgs {
  const T* plus = nullptr;
  const T* minus = nullptr;
  const float* weight = nullptr;
  const std::int32_t* complement = nullptr;  ///< needed with minus
  float* logits = nullptr;
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  std::int64_t vocabulary = 0;
};

}  // namespace ssmgen::kernels
