#pragma once
// HiPPO: state matrices that remember a signal by its coefficients, from which S4 models start
// (Gu et al. 2020; Gu et al. 2022, appendix C of S4 and table 1 of S4D).

#include <complex>
#include <cstdint>
#include <string_view>
#include <vector>

#include "layers/dense_f64.hpp"

namespace ssmgen::layers {

enum class HippoMeasure : std::uint8_t {
  legs,  ///< scaled Legendre: all of the past, stretched
  legt,  ///< translated Legendre: a window of the past
  inv,   ///< S4D-Inv: imaginary parts N/pi (N/(2n+1) - 1)
  lin,   ///< S4D-Lin: imaginary parts pi n
};

/// x' = matrix x + input u, real, of `size` states. For legs and legt.
/// @throws InvalidArgument for a measure without a real matrix.
struct HippoSystem {
  DenseF64 matrix;
  std::vector<double> input;  ///< (size)
};
HippoSystem hippo_system(HippoMeasure measure, std::int64_t size);

/// The same with a normal part that is diagonal: A = diag(a) - sum_r p_r p_r^*; half of `size`
/// states, each with its conjugate. inv and lin are diagonal and have no p.
struct HippoStart {
  std::vector<std::complex<double>> a;
  std::vector<std::complex<double>> b;
  std::vector<std::vector<std::complex<double>>> p;  ///< rank times (size / 2)
  /// The basis of legs and legt, (size, size / 2) row-major: x_real = 2 Re(basis . x).
  std::vector<std::complex<double>> basis;
};
/// @throws InvalidArgument for an odd or non-positive size.
HippoStart hippo_start(HippoMeasure measure, std::int64_t size);

}  // namespace ssmgen::layers
