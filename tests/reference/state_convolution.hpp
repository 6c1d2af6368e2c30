#pragma once
// The convolution with a carried state in f64, sum by sum, as its contract writes it.

#include <cstddef>
#include <vector>

#include "kernels/state_convolution.hpp"

namespace ssmgen::reference {

struct StateConvolutionResult {
  std::vector<double> out;    ///< (batch, length, channels)
  std::vector<double> state;  ///< (batch, states, channels)
};

template <class T>
StateConvolutionResult state_convolution(const kernels::StateConvolutionArgs<T>& args) {
  constexpr std::int64_t block = kernels::convolution_block;
  const std::int64_t channels = args.channels;
  const std::int64_t states = args.states;
  const auto size = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  StateConvolutionResult result;
  result.out.resize(size(args.batch * args.length * channels));
  result.state.resize(size(args.batch * states * channels));
  const bool rightwards = args.direction == kernels::Direction::left_to_right;
  const std::int64_t blocks = (args.length + block - 1) / block;
  for (std::int64_t sequence = 0; sequence < args.batch; ++sequence) {
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const auto table = [&](const float* values, std::int64_t rows, std::int64_t row,
                             std::int64_t j) {
        return static_cast<double>(
            values[kernels::convolution_element(rows * states, row * states + j, channel)]);
      };
      std::vector<double> x(size(states), 0.0);
      for (std::int64_t j = 0; j < states && args.state_in != nullptr; ++j) {
        x[size(j)] = args.state_in[(sequence * states + j) * channels + channel];
      }
      for (std::int64_t step = 0; step < blocks; ++step) {
        const std::int64_t first = (rightwards ? step : blocks - 1 - step) * block;
        const auto place = [&](std::int64_t slot) {
          const std::int64_t t = first + (rightwards ? slot : block - 1 - slot);
          return t < args.length ? (sequence * args.length + t) * channels + channel
                                 : std::int64_t{-1};
        };
        std::vector<double> u(size(block), 0.0);
        for (std::int64_t s = 0; s < block; ++s) {
          if (place(s) >= 0)
            u[size(s)] = static_cast<double>(static_cast<float>(args.in[place(s)]));
        }
        for (std::int64_t t = 0; t < block; ++t) {
          if (place(t) < 0) continue;
          double y = 0.0;
          for (std::int64_t s = 0; s <= t; ++s) {
            y += static_cast<double>(args.taps[(t - s) * channels + channel]) * u[size(s)];
          }
          for (std::int64_t j = 0; j < states; ++j)
            y += table(args.out_table, block, t, j) * x[size(j)];
          if (args.accumulate) y += static_cast<double>(static_cast<float>(args.out[place(t)]));
          result.out[size(place(t))] = y;
        }
        std::vector<double> next(size(states), 0.0);
        for (std::int64_t j = 0; j < states; ++j) {
          for (std::int64_t i = 0; i < states; ++i)
            next[size(j)] += table(args.decay, states, j, i) * x[size(i)];
          for (std::int64_t s = 0; s < block; ++s)
            next[size(j)] += table(args.in_table, block, s, j) * u[size(s)];
        }
        x = next;
      }
      for (std::int64_t j = 0; j < states; ++j) {
        result.state[size((sequence * states + j) * channels + channel)] = x[size(j)];
      }
    }
  }
  return result;
}

}  // namespace ssmgen::reference
