#pragma once
// The one table of tolerances: relative norms |got - expected| / |expected| by storage type.

#include <ssmgen/dtype.hpp>

namespace ssmgen::test {

/// Of one kernel against its f64 reference.
constexpr double tolerance(Dtype dtype) noexcept {
  return dtype == Dtype::f32 ? 2e-6 : 6e-3;
}

/// Of a whole model in f32 against a golden; the reference's own f32 is 2e-7 to 5e-7 from f64.
inline constexpr double model_tolerance = 5e-6;

}  // namespace ssmgen::test
