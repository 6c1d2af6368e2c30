#pragma once
// The pre-norm of a block, two kernels with one set of arguments:
//   sum      = hidden + residual_in as R holds it          (either null: the other alone)
//   add_rms_norm:    out = sum / sqrt(mean(sum^2) + epsilon) * weight (+ bias)
//   add_layer_norm:  out = (sum - mean) / sqrt(var + epsilon) * weight + bias
//   residual_out = sum                                     (null: not stored)
//
// Shapes: hidden, residual_in, residual_out, out (rows, channels) dense; weight, bias (channels).
// reverse_channels: channel c of sum is taken from channel channels-1-c of hidden and residual_in;
// outputs are in sum's order. It is the channel flip of the fused reverse-complement block.
// residual_out may be residual_in and out may be hidden: a row is read whole before it is written.
// out may be null: the sum alone is wanted.
// The sum is formed in f32 and rounded to R, and the norm is of what R holds, so that it is the
// same whether it is taken as the sum is formed or later from where it is stored. Mean and variance
// are in f32. Carry: none. Traffic: rows * channels * (2 T + 2 R) bytes; bound by memory.

#include <cstdint>

#include "kernels/common.hpp"

namespace ssmgen::kernels {

/// T: type of the hidden stream. R: type of the residual stream (T or float).
template <class T, class R>
struct AddNormArgs {
  const T* hidden = nullptr;       ///< may be null with residual_in
  const R* residual_in = nullptr;  ///< may be null
  R* residual_out = nullptr;       ///< may be null with out
  const float* weight = nullptr;
  const float* bias = nullptr;  ///< may be null
  T* out = nullptr;             ///< may be null with residual_out
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  float epsilon = 1e-5f;
  bool reverse_channels = false;
};

}  // namespace ssmgen::kernels
