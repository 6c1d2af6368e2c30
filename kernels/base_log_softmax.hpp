#pragma once
// out[row, i] = logits[row, base_ids[i]] - log sum_j exp(logits[row, base_ids[j]]),  i, j over
// A, C, G, T: the natural-log probabilities over the four bases alone.
//
// Shapes: logits (rows, vocabulary) f32, out (rows, 4) f32. Carry: none.

#include <array>
#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

struct BaseLogSoftmaxArgs {
  const float* logits = nullptr;
  std::array<std::int32_t, 4> base_ids{};  ///< token ids of A, C, G, T
  float* out = nullptr;
  std::int64_t rows = 0;
  std::int64_t vocabulary = 0;
};

}  // namespace ssmgen::kernels
