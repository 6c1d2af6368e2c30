#pragma once
// The LM head in f64, as its contract writes it.

#include <cstddef>
#include <vector>

#include "kernels/lm_head.hpp"

namespace ssmgen::reference {

/// (rows, vocabulary).
template <class T>
std::vector<double> lm_head(const kernels::LmHeadArgs<T>& args) {
  std::vector<double> logits;
  logits.reserve(static_cast<std::size_t>(args.rows * args.vocabulary));
  for (std::int64_t row = 0; row < args.rows; ++row) {
    for (std::int64_t v = 0; v < args.vocabulary; ++v) {
      double sum = 0.0;
      for (std::int64_t c = 0; c < args.channels; ++c) {
        const std::int64_t at = row * args.channels + c;
        sum += double{static_cast<float>(args.plus[at])} * args.weight[v * args.channels + c];
        if (args.minus == nullptr) continue;
        sum += double{static_cast<float>(args.minus[at])} *
               args.weight[args.complement[v] * args.channels + c];
      }
      logits.push_back(sum);
    }
  }
  return logits;
}

}  // namespace ssmgen::reference
