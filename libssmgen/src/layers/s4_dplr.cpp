#include "layers/s4_dplr.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace ssmgen::layers {
namespace {

using Complex = S4Parameters::Complex;

std::size_t place(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

DenseF64 continuous_matrix(const S4Parameters& s4, std::int64_t channel) {
  const std::size_t states = place(s4.states);
  DenseF64 matrix(2 * states);
  for (std::size_t n = 0; n < states; ++n) {
    const Complex a = s4.a[place(channel) * states + n];
    matrix(n, n) = matrix(states + n, states + n) = a.real();
    matrix(n, states + n) = -a.imag();
    matrix(states + n, n) = a.imag();
  }
  // p^* x over the states and their conjugates is 2 Re(sum conj(p) x), a real number.
  for (std::int64_t r = 0; r < s4.rank; ++r) {
    const Complex* p = s4.p.data() + (r * s4.channels + channel) * s4.states;
    for (std::size_t n = 0; n < states; ++n) {
      for (std::size_t m = 0; m < states; ++m) {
        matrix(n, m) -= p[n].real() * 2.0 * p[m].real();
        matrix(n, states + m) -= p[n].real() * 2.0 * p[m].imag();
        matrix(states + n, m) -= p[n].imag() * 2.0 * p[m].real();
        matrix(states + n, states + m) -= p[n].imag() * 2.0 * p[m].imag();
      }
    }
  }
  return matrix;
}

std::vector<double> real_read(const S4Parameters& s4, std::int64_t direction,
                              std::int64_t channel) {
  const std::size_t states = place(s4.states);
  const Complex* c = s4.c.data() + (direction * s4.channels + channel) * s4.states;
  std::vector<double> read(2 * states);
  for (std::size_t n = 0; n < states; ++n) {
    read[n] = 2.0 * c[n].real();
    read[states + n] = -2.0 * c[n].imag();
  }
  return read;
}

// (I - step^length)^T
DenseF64 remainder_transposed(const DenseF64& step, std::int64_t length) {
  DenseF64 result = step.to_power(place(length)).transposed();
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (std::size_t j = 0; j < result.size(); ++j) {
      result(i, j) = (i == j ? 1.0 : 0.0) - result(i, j);
    }
  }
  return result;
}

const Complex* low_rank_row(const S4Parameters& s4, std::size_t r, std::int64_t channel) {
  return s4.p.data() + (static_cast<std::int64_t>(r) * s4.channels + channel) * s4.states;
}

/// 2/(1 + omega) times the resolvent of the diagonal part at 2/dt (1 - omega)/(1 + omega), written
/// so that it is finite where omega is -1.
struct Resolvent {
  Resolvent(const S4Parameters& parameters, std::int64_t of_channel, const Complex& omega)
      : s4(parameters),
        channel(of_channel),
        from_unity(2.0 / parameters.dt[place(of_channel)] * (1.0 - omega)),
        to_minus(1.0 + omega) {}

  Complex of(const Complex& a) const { return 2.0 / (from_unity - a * to_minus); }

  /// sum over the states and their conjugates of left * right * of(a).
  Complex sum(const Complex* left, bool conjugate_left, const Complex* right) const {
    Complex total = 0.0;
    for (std::int64_t n = 0; n < s4.states; ++n) {
      const Complex a = s4.a[place(channel * s4.states + n)];
      const Complex product = (conjugate_left ? std::conj(left[n]) : left[n]) * right[n];
      total += product * of(a) + std::conj(product) * of(std::conj(a));
    }
    return total;
  }

  const S4Parameters& s4;
  std::int64_t channel;
  Complex from_unity;
  Complex to_minus;
};

// `right` := (I + (1 + omega)/2 P^* R P)^-1 right, by elimination: the rank is one or two.
void solve_small(std::vector<Complex>& matrix, std::vector<Complex>& right) {
  const std::size_t size = right.size();
  for (std::size_t k = 0; k < size; ++k) {
    for (std::size_t row = k + 1; row < size; ++row) {
      const Complex factor = matrix[row * size + k] / matrix[k * size + k];
      for (std::size_t j = k; j < size; ++j) {
        matrix[row * size + j] -= factor * matrix[k * size + j];
      }
      right[row] -= factor * right[k];
    }
  }
  for (std::size_t k = size; k-- > 0;) {
    for (std::size_t j = k + 1; j < size; ++j) right[k] -= matrix[k * size + j] * right[j];
    right[k] /= matrix[k * size + k];
  }
}

/// P^* of the response of the states to B at omega, Woodbury's correction applied.
std::vector<Complex> low_rank_response(const S4Parameters& s4, std::int64_t channel,
                                       const Resolvent& resolvent) {
  const Complex* b = s4.b.data() + channel * s4.states;
  const std::size_t rank = place(s4.rank);
  std::vector<Complex> matrix(rank * rank);
  std::vector<Complex> right(rank);
  for (std::size_t r = 0; r < rank; ++r) {
    const Complex* left = low_rank_row(s4, r, channel);
    for (std::size_t q = 0; q < rank; ++q) {
      matrix[r * rank + q] =
          (r == q ? 1.0 : 0.0) +
          resolvent.to_minus / 2.0 * resolvent.sum(left, true, low_rank_row(s4, q, channel));
    }
    right[r] = resolvent.sum(left, true, b);
  }
  solve_small(matrix, right);
  return right;
}

/// The kernel's generating function at omega; `read` is C (I - A^length) of the discrete A.
Complex generating_function(const S4Parameters& s4, std::int64_t channel,
                            const std::vector<Complex>& read, const Complex& omega) {
  const Resolvent resolvent(s4, channel, omega);
  const std::vector<Complex> response = low_rank_response(s4, channel, resolvent);
  Complex value = resolvent.sum(read.data(), false, s4.b.data() + channel * s4.states);
  for (std::size_t r = 0; r < response.size(); ++r) {
    value -= resolvent.to_minus / 2.0 *
             resolvent.sum(read.data(), false, low_rank_row(s4, r, channel)) * response[r];
  }
  return value;
}

/// The states' response to B at omega, (I - step omega)^-1 input, in the real model's order.
std::vector<Complex> state_response(const S4Parameters& s4, std::int64_t channel,
                                    const Complex& omega) {
  const Resolvent resolvent(s4, channel, omega);
  const std::vector<Complex> response = low_rank_response(s4, channel, resolvent);
  const std::size_t states = place(s4.states);
  std::vector<Complex> result(2 * states);
  for (std::size_t n = 0; n < states; ++n) {
    const std::size_t at = place(channel) * states + n;
    Complex upper = s4.b[at];
    Complex lower = std::conj(s4.b[at]);
    for (std::size_t r = 0; r < response.size(); ++r) {
      const Complex p = low_rank_row(s4, r, channel)[n];
      upper -= resolvent.to_minus / 2.0 * p * response[r];
      lower -= resolvent.to_minus / 2.0 * std::conj(p) * response[r];
    }
    upper *= resolvent.of(s4.a[at]);
    lower *= resolvent.of(std::conj(s4.a[at]));
    result[n] = (upper + lower) / 2.0;
    result[states + n] = (upper - lower) / Complex(0.0, 2.0);
  }
  return result;
}

std::vector<double> kernel_of_read(const S4Parameters& s4, std::int64_t channel,
                                   const std::vector<Complex>& read, std::int64_t length) {
  // cos and sin of every root; the spectrum of a real kernel is known by its first half.
  std::vector<Complex> roots(place(length));
  for (std::size_t k = 0; k < roots.size(); ++k) {
    roots[k] = std::polar(
        1.0, -2.0 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(length));
  }
  std::vector<double> kernel(place(length), 0.0);
  for (std::size_t k = 0; 2 * k <= roots.size(); ++k) {
    const Complex value = generating_function(s4, channel, read, roots[k]);
    const double weight = k == 0 || 2 * k == roots.size() ? 1.0 : 2.0;
    for (std::size_t l = 0; l < kernel.size(); ++l) {
      kernel[l] += weight * (value * std::conj(roots[k * l % roots.size()])).real();
    }
  }
  for (double& value : kernel) value /= static_cast<double>(length);
  return kernel;
}

// A real read-out vector as the complex C of the generating function.
std::vector<Complex> complex_read(const std::vector<double>& read) {
  const std::size_t states = read.size() / 2;
  std::vector<Complex> result(states);
  for (std::size_t n = 0; n < states; ++n) result[n] = {read[n] / 2.0, -read[states + n] / 2.0};
  return result;
}

// sum over l < length of step^l input input^T (step^l)^T, by doubling from the length's first
// digit.
DenseF64 gram_matrix(const DplrModel& model, std::int64_t length) {
  const std::size_t size = model.input.size();
  const auto grow = [size](DenseF64& sum, const DenseF64& power, const DenseF64& added) {
    const DenseF64 moved = power.times(added).times(power.transposed());
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) sum(i, j) += moved(i, j);
    }
  };
  DenseF64 one(size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) one(i, j) = model.input[i] * model.input[j];
  }
  DenseF64 gram(size);
  DenseF64 power = DenseF64::identity(size);  // step^(terms so far)
  for (int digit = 62; digit >= 0; --digit) {
    if ((length >> digit) == 0) continue;
    const DenseF64 before = gram;
    grow(gram, power, before);
    power = power.times(power);
    if ((length >> digit & 1) == 0) continue;
    grow(gram, power, one);
    power = power.times(model.step);
  }
  return gram;
}

// To the 24 bits of f32 by arithmetic (Veltkamp's splitting): g++ 12 at -O2 leaves out a narrowing
// of a cosine and a sine side by side that are widened again.
double rounded_to_f32(double value) {
  const double scaled = value * ((1 << 29) + 1);
  return scaled - (scaled - value);
}

}  // namespace

DplrModel dplr_model(const S4Parameters& s4, std::int64_t channel) {
  const std::size_t states = place(s4.states);
  const std::size_t size = 2 * states;
  const double dt = s4.dt[place(channel)];
  const DenseF64 a = continuous_matrix(s4, channel);
  DenseF64 behind(size);
  DenseF64 ahead(size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      const double one = i == j ? 1.0 : 0.0;
      behind(i, j) = one - dt / 2.0 * a(i, j);
      ahead(i, j) = one + dt / 2.0 * a(i, j);
    }
  }
  DplrModel model(size);
  model.step = behind.solve(ahead);
  std::vector<double> input(size);
  for (std::size_t n = 0; n < states; ++n) {
    const Complex b = s4.b[place(channel) * states + n];
    input[n] = dt * b.real();
    input[states + n] = dt * b.imag();
  }
  model.input = behind.solve(input);
  for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
    std::vector<double> read = real_read(s4, direction, channel);
    if (s4.kernel_length > 0) {
      read = remainder_transposed(model.step, s4.kernel_length).solve(read);
    }
    model.reads.push_back(std::move(read));
  }
  return model;
}

std::vector<double> dplr_kernel(const S4Parameters& s4, const DplrModel& model,
                                std::int64_t direction, std::int64_t channel, std::int64_t length) {
  const DenseF64 remainder = remainder_transposed(model.step, length);
  return kernel_of_read(s4, channel, complex_read(remainder.times(model.reads[place(direction)])),
                        length);
}

std::vector<double> dplr_kernel(const S4Parameters& s4, std::int64_t direction,
                                std::int64_t channel, std::int64_t length) {
  if (length != s4.kernel_length) {
    return dplr_kernel(s4, dplr_model(s4, channel), direction, channel, length);
  }
  const Complex* c = s4.c.data() + (direction * s4.channels + channel) * s4.states;
  return kernel_of_read(s4, channel, std::vector<Complex>(c, c + s4.states), length);
}

S4Parameters with_recovered_c(S4Parameters s4) {
  constexpr double ridge = 1e-8;
  const std::int64_t length = s4.kernel_length;
  if (s4.is_diagonal() || length == 0) return s4;
  const double step = -2.0 * std::numbers::pi / static_cast<double>(length);
  const Complex rounded(rounded_to_f32(std::cos(step)), rounded_to_f32(std::sin(step)));
  std::vector<Complex> recovered(s4.c.size());
  for (std::int64_t channel = 0; channel < s4.channels; ++channel) {
    const DplrModel model = dplr_model(s4, channel);
    const std::size_t size = model.input.size();
    // step^l input for all l < length, times what the rounding added to the kernel at l: summed
    // over the frequencies in place of the positions (Parseval).
    std::vector<std::vector<double>> sums(place(s4.directions), std::vector<double>(size, 0.0));
    for (std::int64_t k = 0; 2 * k <= length; ++k) {
      const Complex root = std::polar(1.0, step * static_cast<double>(k));
      const Complex used = std::pow(rounded, static_cast<double>(k));
      const std::vector<Complex> response = state_response(s4, channel, root);
      const double weight = (k == 0 || 2 * k == length ? 1.0 : 2.0) / static_cast<double>(length);
      for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
        const Complex* c = s4.c.data() + (direction * s4.channels + channel) * s4.states;
        const std::vector<Complex> read(c, c + s4.states);
        const Complex added = generating_function(s4, channel, read, used) -
                              generating_function(s4, channel, read, root);
        for (std::size_t i = 0; i < size; ++i) {
          sums[place(direction)][i] += weight * (std::conj(response[i]) * added).real();
        }
      }
    }
    const DenseF64 remainder = remainder_transposed(model.step, length).transposed();
    DenseF64 gram = gram_matrix(model, length);
    double trace = 0.0;
    for (std::size_t i = 0; i < size; ++i) trace += gram(i, i);
    for (std::size_t i = 0; i < size; ++i) gram(i, i) += ridge * trace / static_cast<double>(size);
    for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
      std::vector<double> read = gram.solve(remainder.times(sums[place(direction)]));
      for (std::size_t i = 0; i < size; ++i) read[i] += model.reads[place(direction)][i];
      const std::vector<Complex> c = complex_read(read);
      std::copy(c.begin(), c.end(),
                recovered.begin() + (direction * s4.channels + channel) * s4.states);
    }
  }
  s4.c = std::move(recovered);
  s4.kernel_length = 0;
  return s4;
}

}  // namespace ssmgen::layers
