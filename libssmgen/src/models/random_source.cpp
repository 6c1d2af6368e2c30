#include "models/random_source.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <random>
#include <string_view>

namespace ssmgen::models {

// No wrapped names and no head of its own: a loader then takes the plain, tied form.
bool RandomSource::has(const std::string&) const {
  return false;
}

std::vector<float> RandomSource::f32(const std::string& name,
                                     const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  parameters_ += count;
  std::uint64_t hash = 1469598103934665603ull ^ seed_;  // FNV-1a
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211ull;
  }
  std::mt19937_64 generator(hash);
  std::vector<float> values(static_cast<std::size_t>(count));
  const std::string_view key = name;

  if (key.ends_with("inv_dt")) {  // the logarithm of a step between 0.001 and 0.1
    std::uniform_real_distribution<float> exponent(std::log(1e-3f), std::log(1e-1f));
    for (float& value : values) value = exponent(generator);
  } else if (key.ends_with("kernel.C")) {
    std::normal_distribution<float> normal(0.0f, std::sqrt(0.5f));
    for (float& value : values) value = normal(generator);
  } else if (key.find("kernel.") != std::string_view::npos) {
    values = s4_values(name, shape);
  } else if (key.ends_with("A_log")) {
    const auto states = static_cast<std::size_t>(shape[1]);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = std::log(static_cast<float>(i % states + 1));
    }
  } else if (key.ends_with("dt_proj.bias")) {
    // The inverse softplus of a step between 0.001 and 0.1, uniform in its logarithm.
    std::uniform_real_distribution<float> exponent(std::log(1e-3f), std::log(1e-1f));
    for (float& value : values) value = std::log(std::expm1(std::exp(exponent(generator))));
  } else if (shape.size() == 1 && !key.ends_with("bias")) {  // norms and D
    for (float& value : values) value = 1.0f;
  } else {
    const auto inputs = static_cast<float>(shape.back());
    std::normal_distribution<float> normal(0.0f, 1.0f / std::sqrt(inputs));
    for (float& value : values) value = normal(generator);
  }
  return values;
}

// A, B and P are every channel's the same; the names tell which.
std::vector<float> RandomSource::s4_values(const std::string& name,
                                           const std::vector<std::int64_t>& shape) const {
  const std::string_view key = name;
  const bool is_complex = shape.size() == 4;
  const auto states = static_cast<std::size_t>(shape[is_complex ? 2 : 1]);
  const auto channels = static_cast<std::size_t>(shape[is_complex ? 1 : 0]);
  const layers::HippoStart start =
      layers::hippo_start(start_, static_cast<std::int64_t>(2 * states));
  std::vector<float> values;
  for (std::size_t r = 0; r < (is_complex ? static_cast<std::size_t>(shape[0]) : 1); ++r) {
    for (std::size_t i = 0; i < channels * states; ++i) {
      const std::size_t n = i % states;
      if (key.ends_with("A_real")) {
        values.push_back(static_cast<float>(std::log(std::max(1e-4, -start.a[n].real()))));
      } else if (key.ends_with("A_imag")) {
        values.push_back(static_cast<float>(-start.a[n].imag()));
      } else {
        const bool is_input = key.ends_with("B");
        const std::complex<double> value = is_input             ? start.b[n]
                                           : r < start.p.size() ? start.p[r][n]
                                                                : std::complex<double>();
        values.push_back(static_cast<float>(value.real()));
        values.push_back(static_cast<float>(value.imag()));
      }
    }
  }
  return values;
}

}  // namespace ssmgen::models
