#pragma once
// What suites over models, types and devices share: the names of their cases, and random DNA.

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <random>
#include <ssmgen/dtype.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/devices.hpp"

namespace ssmgen::test {

/// "case_dtype_device", for parameters (a case with a name, Dtype, Device).
template <class Case>
std::string case_label(const testing::TestParamInfo<std::tuple<Case, Dtype, Device>>& info) {
  return std::string(std::get<0>(info.param).name) + "_" +
         std::string(dtype_name(std::get<1>(info.param))) + "_" +
         device_label(std::get<2>(info.param));
}

/// Token ids of A, C, G, T and N, always the same.
inline std::vector<std::int32_t> random_bases(std::int64_t count) {
  std::mt19937 generator(3);
  std::uniform_int_distribution<std::int32_t> base(7, 11);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  std::generate(ids.begin(), ids.end(), [&] { return base(generator); });
  return ids;
}

}  // namespace ssmgen::test
