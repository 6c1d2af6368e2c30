#pragma once
// The log-softmax over the four bases in f64, as its contract writes it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/base_log_softmax.hpp"

namespace ssmgen::reference {

/// (rows, 4).
inline std::vector<double> base_log_softmax(const kernels::BaseLogSoftmaxArgs& args) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(args.rows * 4));
  for (std::int64_t row = 0; row < args.rows; ++row) {
    const float* logits = args.logits + row * args.vocabulary;
    double largest = -INFINITY;
    for (const std::int32_t base : args.base_ids) largest = std::max(largest, double{logits[base]});
    double sum = 0.0;
    for (const std::int32_t base : args.base_ids) sum += std::exp(logits[base] - largest);
    for (const std::int32_t base : args.base_ids) {
      out.push_back(logits[base] - largest - std::log(sum));
    }
  }
  return out;
}

}  // namespace ssmgen::reference
