#include "layers/s4_kernel.hpp"

#include <cmath>
#include <utility>

#include "kernels/diagonal_scan.hpp"
#include "kernels/state_convolution.hpp"
#include "layers/s4_dplr.hpp"

namespace ssmgen::layers {
namespace {

using Complex = S4Parameters::Complex;

std::size_t place(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

/// One state of a diagonal model: x = power * x + u, y = 2 Re(weight * x).
struct DiagonalState {
  Complex power;
  Complex weight;
};

// e^z - 1 without the loss of digits near 0: e^x cos y - 1 = expm1(x) cos y - 2 sin^2(y/2).
Complex expm1(const Complex& z) {
  const double half = std::sin(z.imag() / 2.0);
  return {std::expm1(z.real()) * std::cos(z.imag()) - 2.0 * half * half,
          std::exp(z.real()) * std::sin(z.imag())};
}

DiagonalState discretized(const S4Parameters& s4, std::int64_t direction, std::int64_t channel,
                          std::int64_t state) {
  const std::size_t at = place(channel * s4.states + state);
  const double dt = s4.dt[place(channel)];
  const Complex z = dt * s4.a[at];
  const Complex product = s4.c[place(direction * s4.channels * s4.states) + at] * s4.b[at];
  if (s4.discretization == Discretization::zoh) {
    // (e^z - 1) / a; a step that is as good as none adds dt * u.
    const Complex step = std::abs(z) > 0.0 ? expm1(z) / s4.a[at] : Complex(dt);
    return {std::exp(z), product * step};
  }
  return {(1.0 + z / 2.0) / (1.0 - z / 2.0), product * dt / (1.0 - z / 2.0)};
}

}  // namespace

std::vector<double> s4_kernel(const S4Parameters& s4, std::int64_t direction, std::int64_t channel,
                              std::int64_t length) {
  if (!s4.is_diagonal()) return dplr_kernel(s4, direction, channel, length);
  std::vector<double> kernel(place(length), 0.0);
  for (std::int64_t n = 0; n < s4.states; ++n) {
    const DiagonalState state = discretized(s4, direction, channel, n);
    Complex power = state.weight;
    for (double& value : kernel) {
      value += 2.0 * power.real();
      power *= state.power;
    }
  }
  return kernel;
}

DiagonalTables diagonal_tables(const S4Parameters& s4, std::int64_t direction, Lag lag) {
  using namespace kernels;
  constexpr std::int64_t group = diagonal_scan_group;
  const int own = lag == Lag::from_own ? 1 : 0;
  DiagonalTables tables;
  tables.coefficients.resize(place(s4.states * diagonal_scan_rows * s4.channels));
  tables.taps.resize(place(group * s4.channels));
  tables.tile_decay.resize(place(s4.states * 2 * s4.channels));
  for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
    const std::vector<double> kernel = s4_kernel(s4, direction, channel, group);
    for (std::int64_t j = 0; j < group; ++j) {
      const double own_tap = j == 0 ? kernel[0] + s4.d[place(channel)] : kernel[place(j)];
      const double next_tap = j == 0 ? 0.0 : kernel[place(j - 1)];
      tables.taps[place(j * s4.channels + channel)] =
          static_cast<float>(own == 1 ? own_tap : next_tap);
    }
    for (std::int64_t n = 0; n < s4.states; ++n) {
      const DiagonalState state = discretized(s4, direction, channel, n);
      const auto set = [&](std::int64_t row, double value) {
        tables.coefficients[place((n * diagonal_scan_rows + row) * s4.channels + channel)] =
            static_cast<float>(value);
      };
      for (int i = 0; i < group; ++i) {
        const Complex out = 2.0 * state.weight * std::pow(state.power, i + own);
        set(out_real + i, out.real());
        set(out_imaginary + i, -out.imag());
      }
      const Complex growth = std::pow(state.power, 4) - 1.0;
      set(growth_real, growth.real());
      set(growth_imaginary, growth.imag());
      for (int j = 0; j + 1 < group; ++j) {
        const Complex in = std::pow(state.power, 3 - j);
        set(in_real + j, in.real());
        set(in_imaginary + j, in.imag());
      }
      const Complex decay = std::pow(state.power, static_cast<int>(tile_length));
      tables.tile_decay[place(2 * n * s4.channels + channel)] = static_cast<float>(decay.real());
      tables.tile_decay[place((2 * n + 1) * s4.channels + channel)] =
          static_cast<float>(decay.imag());
    }
  }
  return tables;
}

ConvolutionTables convolution_tables(const S4Parameters& s4) {
  constexpr std::int64_t block = kernels::convolution_block;
  const std::int64_t states = 2 * s4.states;
  ConvolutionTables tables;
  tables.directions.resize(place(s4.directions));
  const std::int64_t padded = kernels::convolution_panels(s4.channels) * kernels::convolution_panel;
  tables.in_table.resize(place(block * states * padded));
  tables.decay.resize(place(states * states * padded));
  for (auto& side : tables.directions) {
    side.taps.resize(place(block * s4.channels));
    side.out_table.resize(place(block * states * padded));
  }
  for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
    const DplrModel model = dplr_model(s4, channel);
    const auto set_row = [&](std::vector<float>& table, std::int64_t row,
                             const std::vector<double>& values) {
      for (std::int64_t j = 0; j < states; ++j) {
        table[place(kernels::convolution_element(block * states, row * states + j, channel))] =
            static_cast<float>(values[place(j)]);
      }
    };
    std::vector<double> input = model.input;
    for (std::int64_t s = block; s-- > 0;) {
      set_row(tables.in_table, s, input);
      input = model.step.times(input);
    }
    const DenseF64 decay = model.step.to_power(place(block));
    for (std::int64_t j = 0; j < states; ++j) {
      for (std::int64_t i = 0; i < states; ++i) {
        const std::int64_t at =
            kernels::convolution_element(states * states, j * states + i, channel);
        tables.decay[place(at)] = static_cast<float>(decay(place(j), place(i)));
      }
    }
    for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
      auto& side = tables.directions[place(direction)];
      const bool own = direction == 0;
      const std::vector<double> kernel = dplr_kernel(s4, model, direction, channel, block);
      std::vector<double> read = model.reads[place(direction)];
      for (std::int64_t t = 0; t < block; ++t) {
        double tap = own ? kernel[place(t)] : 0.0;
        if (own && t == 0) tap += s4.d[place(channel)];
        if (!own && t > 0) tap = kernel[place(t - 1)];
        side.taps[place(t * s4.channels + channel)] = static_cast<float>(tap);
        std::vector<double> next = model.step.transposed_times(read);
        set_row(side.out_table, t, own ? next : read);
        read = std::move(next);
      }
    }
  }
  return tables;
}

}  // namespace ssmgen::layers
