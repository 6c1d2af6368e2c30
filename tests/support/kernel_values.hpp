#pragma once
// Inputs of kernel tests and the comparisons of their outputs.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <random>
#include <span>
#include <ssmgen/dtype.hpp>
#include <type_traits>
#include <vector>

#include "kernels/common.hpp"
#include "tests/support/tolerance.hpp"

namespace ssmgen::test {

template <class T>
constexpr Dtype dtype_of = std::is_same_v<T, float> ? Dtype::f32 : Dtype::bf16;

/// Uniform values in [low, high), the same for one seed everywhere.
template <class T>
std::vector<T> random_values(std::int64_t count, float low, float high, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<T> values;
  values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const float unit = static_cast<float>(engine() >> 8) * 0x1p-24f;
    values.push_back(static_cast<T>(low + (high - low) * unit));
  }
  return values;
}

/// |got - expected| / |expected|, the norms over all values; infinite when any is not finite.
template <class T>
double relative_error(std::span<const T> got, std::span<const double> expected) {
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double value = static_cast<float>(got[i]);
    if (!std::isfinite(value)) return INFINITY;
    error += (value - expected[i]) * (value - expected[i]);
    norm += expected[i] * expected[i];
  }
  return norm > 0.0 ? std::sqrt(error / norm) : std::sqrt(error);
}

template <class T>
void expect_close(const std::vector<T>& got, const std::vector<double>& expected,
                  double largest_error = tolerance(dtype_of<T>)) {
  ASSERT_EQ(got.size(), expected.size());
  EXPECT_LE(relative_error<T>(got, expected), largest_error);
}

/// The rows of that many values each, last row first.
template <class Value>
std::vector<Value> reversed_rows(const std::vector<Value>& values, std::int64_t row) {
  std::vector<Value> result;
  for (auto end = values.end(); end != values.begin(); end -= row) {
    result.insert(result.end(), end - row, end);
  }
  return result;
}

/// The values as bits, for laws that hold to the last one.
template <class T>
std::vector<std::uint32_t> bits(const std::vector<T>& values) {
  std::vector<std::uint32_t> words;
  words.reserve(values.size());
  for (const T value : values) {
    words.push_back(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  }
  return words;
}

}  // namespace ssmgen::test
