#pragma once
// S4 in f64, position by position: the state over all states and their conjugates, its matrix
// dense, nothing precomputed but one step. It shares no code with the library's tables.

#include <complex>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "layers/s4_block.hpp"
#include "layers/s4_kernel.hpp"
#include "tests/reference/gelu.hpp"
#include "tests/reference/glu.hpp"

namespace ssmgen::reference {

/// One channel and direction: x = step . x + input * u, y = read . x, complex.
class S4Channel {
 public:
  using Complex = std::complex<double>;

  S4Channel(const layers::S4Parameters& s4, std::int64_t direction, std::int64_t channel)
      : size_(static_cast<std::size_t>(2 * s4.states)), step_(size_ * size_), input_(size_) {
    const auto states = static_cast<std::size_t>(s4.states);
    const std::size_t at = static_cast<std::size_t>(channel) * states;
    const double dt = s4.dt[static_cast<std::size_t>(channel)];
    std::vector<Complex> a(size_);
    for (std::size_t n = 0; n < states; ++n) {
      const Complex c = s4.c[static_cast<std::size_t>(direction * s4.channels) * states + at + n];
      read_.push_back(c);
      a[n] = s4.a[at + n];
      a[states + n] = std::conj(a[n]);
      input_[n] = s4.b[at + n];
      input_[states + n] = std::conj(input_[n]);
    }
    for (std::size_t n = 0; n < states; ++n) read_.push_back(std::conj(read_[n]));
    if (s4.discretization == layers::Discretization::zoh) {
      for (std::size_t n = 0; n < size_; ++n) {
        step_[n * size_ + n] = std::exp(dt * a[n]);
        input_[n] *= (std::exp(dt * a[n]) - 1.0) / a[n];
      }
      return;
    }
    std::vector<Complex> behind(size_ * size_);
    for (std::size_t i = 0; i < size_; ++i) {
      for (std::size_t j = 0; j < size_; ++j) {
        Complex value = i == j ? a[i] : 0.0;
        for (std::int64_t r = 0; r < s4.rank; ++r) {
          const Complex* p = s4.p.data() + (r * s4.channels + channel) * s4.states;
          const auto full = [&](std::size_t n) {
            return n < states ? p[n] : std::conj(p[n - states]);
          };
          value -= full(i) * std::conj(full(j));
        }
        const double one = i == j ? 1.0 : 0.0;
        behind[i * size_ + j] = one - dt / 2.0 * value;
        step_[i * size_ + j] = one + dt / 2.0 * value;
      }
      input_[i] *= dt;
    }
    solve(behind);
  }

  std::size_t size() const { return size_; }

  /// Takes one input into the state.
  void advance(std::vector<Complex>& x, double u) const {
    std::vector<Complex> next(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      next[i] = input_[i] * u;
      for (std::size_t j = 0; j < size_; ++j) next[i] += step_[i * size_ + j] * x[j];
    }
    x = std::move(next);
  }
  double output(const std::vector<Complex>& x) const {
    Complex sum = 0.0;
    for (std::size_t i = 0; i < size_; ++i) sum += read_[i] * x[i];
    return sum.real();
  }
  /// The response to a single one.
  std::vector<double> kernel(std::int64_t length) const {
    std::vector<double> result;
    std::vector<Complex> x(size_);
    for (std::int64_t l = 0; l < length; ++l) {
      advance(x, l == 0 ? 1.0 : 0.0);
      result.push_back(output(x));
    }
    return result;
  }

 private:
  // step_ and input_ := behind^-1 of them, by elimination with row exchanges.
  void solve(std::vector<Complex>& behind) {
    for (std::size_t k = 0; k < size_; ++k) {
      std::size_t pivot = k;
      for (std::size_t i = k; i < size_; ++i) {
        if (std::abs(behind[i * size_ + k]) > std::abs(behind[pivot * size_ + k])) pivot = i;
      }
      for (std::size_t j = 0; j < size_; ++j) {
        std::swap(behind[k * size_ + j], behind[pivot * size_ + j]);
        std::swap(step_[k * size_ + j], step_[pivot * size_ + j]);
      }
      std::swap(input_[k], input_[pivot]);
      for (std::size_t i = 0; i < size_; ++i) {
        if (i == k) continue;
        const Complex factor = behind[i * size_ + k] / behind[k * size_ + k];
        for (std::size_t j = 0; j < size_; ++j) {
          behind[i * size_ + j] -= factor * behind[k * size_ + j];
          step_[i * size_ + j] -= factor * step_[k * size_ + j];
        }
        input_[i] -= factor * input_[k];
      }
    }
    for (std::size_t k = 0; k < size_; ++k) {
      const Complex scale = 1.0 / behind[k * size_ + k];
      for (std::size_t j = 0; j < size_; ++j) step_[k * size_ + j] *= scale;
      input_[k] *= scale;
    }
  }

  std::size_t size_;
  std::vector<Complex> step_;
  std::vector<Complex> input_;
  std::vector<Complex> read_;
};

/// y of both directions with D: u and the result (length, channels) of one sequence.
inline std::vector<double> s4_mixed(const layers::S4Parameters& s4, const std::vector<double>& u) {
  const auto channels = static_cast<std::size_t>(s4.channels);
  const std::size_t length = u.size() / channels;
  std::vector<double> y(u.size(), 0.0);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const auto h = static_cast<std::int64_t>(channel);
    const S4Channel forth(s4, 0, h);
    std::vector<S4Channel::Complex> x(forth.size());
    for (std::size_t t = 0; t < length; ++t) {
      const std::size_t at = t * channels + channel;
      forth.advance(x, u[at]);
      y[at] += forth.output(x) + s4.d[channel] * u[at];
    }
    if (s4.directions == 1) continue;
    const S4Channel back(s4, 1, h);
    x.assign(back.size(), 0.0);
    for (std::size_t t = length; t-- > 0;) {
      const std::size_t at = t * channels + channel;
      y[at] += back.output(x);
      back.advance(x, u[at]);
    }
  }
  return y;
}

/// A block without its norm: u and the result (length, channels).
inline std::vector<double> s4_block(const layers::S4BlockWeights& weights,
                                    const std::vector<double>& u) {
  const auto channels = static_cast<std::size_t>(weights.model.channels);
  std::vector<double> y = s4_mixed(weights.model, u);
  for (double& value : y) value = gelu(value);
  std::vector<double> out(u.size());
  for (std::size_t row = 0; row < u.size() / channels; ++row) {
    const auto product = [&](std::size_t output) {
      double sum = static_cast<double>(weights.output_bias[output]);
      for (std::size_t c = 0; c < channels; ++c) {
        sum += static_cast<double>(weights.output[output * channels + c]) * y[row * channels + c];
      }
      return sum;
    };
    for (std::size_t c = 0; c < channels; ++c) {
      out[row * channels + c] = glu(product(c), product(channels + c));
    }
  }
  return out;
}

}  // namespace ssmgen::reference
