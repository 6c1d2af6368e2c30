#pragma once

#include <cmath>

namespace ssmgen::reference {

/// a * sigmoid(b)
inline double glu(double a, double b) {
  return a / (1.0 + std::exp(-b));
}

}  // namespace ssmgen::reference
