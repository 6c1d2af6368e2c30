#pragma once
// The product in f64, as its contract writes it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/product.hpp"

namespace ssmgen::reference {

/// One row of the product, (outputs) values, of the row `in`; `before` is the row of out that is
/// added to, or null.
template <class In, class Out>
std::vector<double> product_row(const kernels::ProductSpec& spec, const In* in, const Out* before) {
  std::vector<double> out(static_cast<std::size_t>(spec.outputs));
  for (std::int64_t n = 0; n < spec.outputs; ++n) {
    double sum = spec.bias == nullptr ? 0.0 : spec.bias[n];
    for (std::int64_t k = 0; k < spec.inputs; ++k) {
      // The weight is stored in the type of the input.
      const double weight = static_cast<float>(In(spec.weight[n * spec.inputs + k]));
      sum += weight * static_cast<float>(in[k]);
    }
    if (before != nullptr) sum += static_cast<float>(before[n]);
    const bool softplus = spec.activation == kernels::Activation::softplus;
    out[static_cast<std::size_t>(n)] =
        softplus ? std::max(sum, 0.0) + std::log1p(std::exp(-std::abs(sum))) : sum;
  }
  return out;
}

}  // namespace ssmgen::reference
