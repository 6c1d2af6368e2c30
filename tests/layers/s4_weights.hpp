#pragma once
// Small random S4 models for the tests of this folder.

#include <cmath>
#include <cstdint>
#include <random>

#include "layers/hippo.hpp"
#include "layers/s4_block.hpp"

namespace ssmgen::layers::test_layers {

struct S4Case {
  const char* name;
  bool is_diagonal;
  HippoMeasure start;
  Discretization discretization;
  std::int64_t directions;
};

inline constexpr S4Case s4_cases[] = {
    {"s4d_lin_zoh", true, HippoMeasure::lin, Discretization::zoh, 1},
    {"s4d_inv_zoh_bidirectional", true, HippoMeasure::inv, Discretization::zoh, 2},
    {"s4d_legs_bilinear_bidirectional", true, HippoMeasure::legs, Discretization::bilinear, 2},
    {"s4d_lin_bilinear", true, HippoMeasure::lin, Discretization::bilinear, 1},
    {"dplr_legs", false, HippoMeasure::legs, Discretization::bilinear, 1},
    {"dplr_legs_bidirectional", false, HippoMeasure::legs, Discretization::bilinear, 2},
    {"dplr_legt_bidirectional", false, HippoMeasure::legt, Discretization::bilinear, 2},
};

inline void PrintTo(const S4Case& s4_case, std::ostream* stream) {
  *stream << s4_case.name;
}

/// Steps from 0.001 to 0.1, and C drawn at random, as S4 starts its own.
inline S4Parameters s4_parameters(const S4Case& s4_case, std::int64_t channels = 5,
                                  std::int64_t states = 16, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(0.0, std::sqrt(0.5));
  const HippoStart start = hippo_start(s4_case.start, 2 * states);
  S4Parameters s4;
  s4.channels = channels;
  s4.states = states;
  s4.rank = s4_case.is_diagonal ? 0 : static_cast<std::int64_t>(start.p.size());
  s4.directions = s4_case.directions;
  s4.discretization = s4_case.discretization;
  for (std::int64_t h = 0; h < channels; ++h) {
    const double place =
        channels > 1 ? static_cast<double>(h) / static_cast<double>(channels - 1) : 0.5;
    s4.dt.push_back(1e-3 * std::pow(100.0, place));
    s4.d.push_back(normal(generator));
    s4.a.insert(s4.a.end(), start.a.begin(), start.a.end());
    s4.b.insert(s4.b.end(), start.b.begin(), start.b.end());
  }
  for (std::int64_t r = 0; r < s4.rank; ++r) {
    for (std::int64_t h = 0; h < channels; ++h) {
      const auto& p = start.p[static_cast<std::size_t>(r)];
      s4.p.insert(s4.p.end(), p.begin(), p.end());
    }
  }
  for (std::int64_t i = 0; i < s4.directions * channels * states; ++i) {
    s4.c.emplace_back(normal(generator), normal(generator));
  }
  return s4;
}

}  // namespace ssmgen::layers::test_layers
