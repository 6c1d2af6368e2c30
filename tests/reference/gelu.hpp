#pragma once

#include <cmath>
#include <numbers>

namespace ssmgen::reference {

/// x * Phi(x)
inline double gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
}

}  // namespace ssmgen::reference
