#pragma once
// The diagonal scan in f64, one group of four positions at a time, as its contract writes it.

#include <array>
#include <complex>
#include <cstddef>
#include <vector>

#include "kernels/diagonal_scan.hpp"

namespace ssmgen::reference {

struct DiagonalScanResult {
  std::vector<double> out;    ///< (batch, length, channels)
  std::vector<double> state;  ///< (batch, states, 2, channels)
};

template <class T>
DiagonalScanResult diagonal_scan(const kernels::DiagonalScanArgs<T>& args) {
  using namespace kernels;
  using Complex = std::complex<double>;
  constexpr std::int64_t group = diagonal_scan_group;
  DiagonalScanResult result;
  result.out.resize(static_cast<std::size_t>(args.batch * args.length * args.channels));
  result.state.resize(static_cast<std::size_t>(args.batch * args.states * 2 * args.channels));
  const bool rightwards = args.direction == Direction::left_to_right;
  const std::int64_t groups = (args.length + group - 1) / group;
  for (std::int64_t sequence = 0; sequence < args.batch; ++sequence) {
    for (std::int64_t channel = 0; channel < args.channels; ++channel) {
      const auto coefficient = [&](std::int64_t n, std::int64_t row) {
        const std::int64_t at = (n * diagonal_scan_rows + row) * args.channels + channel;
        return static_cast<double>(args.coefficients[at]);
      };
      const auto state_at = [&](std::int64_t n, std::int64_t part) {
        return static_cast<std::size_t>(((sequence * args.states + n) * 2 + part) * args.channels +
                                        channel);
      };
      std::vector<Complex> x(static_cast<std::size_t>(args.states));
      for (std::int64_t n = 0; n < args.states && args.state_in != nullptr; ++n) {
        x[static_cast<std::size_t>(n)] = {args.state_in[state_at(n, 0)],
                                          args.state_in[state_at(n, 1)]};
      }
      for (std::int64_t step = 0; step < groups; ++step) {
        const std::int64_t first = (rightwards ? step : groups - 1 - step) * group;
        std::array<double, group> u{};
        std::array<std::int64_t, group> place{};
        for (std::int64_t i = 0; i < group; ++i) {
          const std::int64_t t = first + (rightwards ? i : group - 1 - i);
          place[i] = t < args.length ? (sequence * args.length + t) * args.channels + channel : -1;
          if (place[i] >= 0) u[i] = static_cast<double>(static_cast<float>(args.in[place[i]]));
        }
        for (std::int64_t i = 0; i < group; ++i) {
          double y = 0.0;
          for (std::int64_t j = 0; j <= i; ++j) {
            y += static_cast<double>(args.taps[(i - j) * args.channels + channel]) * u[j];
          }
          for (std::int64_t n = 0; n < args.states; ++n) {
            const Complex out(coefficient(n, out_real + i), -coefficient(n, out_imaginary + i));
            y += (out * x[static_cast<std::size_t>(n)]).real();
          }
          if (place[i] < 0) continue;
          if (args.accumulate) y += static_cast<double>(static_cast<float>(args.out[place[i]]));
          result.out[static_cast<std::size_t>(place[i])] = y;
        }
        for (std::int64_t n = 0; n < args.states; ++n) {
          Complex& state = x[static_cast<std::size_t>(n)];
          Complex added = Complex(coefficient(n, growth_real), coefficient(n, growth_imaginary));
          added = added * state + u[group - 1];
          for (std::int64_t j = 0; j + 1 < group; ++j) {
            added += Complex(coefficient(n, in_real + j), coefficient(n, in_imaginary + j)) * u[j];
          }
          state += added;
        }
      }
      for (std::int64_t n = 0; n < args.states; ++n) {
        result.state[state_at(n, 0)] = x[static_cast<std::size_t>(n)].real();
        result.state[state_at(n, 1)] = x[static_cast<std::size_t>(n)].imag();
      }
    }
  }
  return result;
}

}  // namespace ssmgen::reference
