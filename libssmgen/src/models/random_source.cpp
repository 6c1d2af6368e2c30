#include "models/random_source.hpp"

#include <cmath>
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

  if (key.ends_with("A_log")) {
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

}  // namespace ssmgen::models
