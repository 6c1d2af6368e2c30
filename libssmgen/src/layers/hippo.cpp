#include "layers/hippo.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>
#include <numeric>
#include <ssmgen/errors.hpp>

namespace ssmgen::layers {
namespace {

using Complex = std::complex<double>;

/// A Hermitian matrix, made diagonal by rotations (Jacobi); `vectors` are the columns that did it.
struct HermitianEigen {
  std::size_t size;
  std::vector<Complex> matrix;
  std::vector<Complex> vectors;

  explicit HermitianEigen(std::size_t n) : size(n), matrix(n * n), vectors(n * n) {
    for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1.0;
  }
  Complex& at(std::size_t row, std::size_t column) { return matrix[row * size + column]; }

  // Turns the plane of p and q so that the entry between them is zero.
  void rotate(std::size_t p, std::size_t q) {
    const Complex between = at(p, q);
    const double magnitude = std::abs(between);
    if (magnitude < 1e-300) return;
    const Complex phase = std::conj(between) / magnitude;
    const double angle = 0.5 * std::atan2(2.0 * magnitude, at(p, p).real() - at(q, q).real());
    const double c = std::cos(angle);
    const double s = std::sin(angle);
    for (std::size_t k = 0; k < size; ++k) {
      for (std::vector<Complex>* columns : {&matrix, &vectors}) {
        Complex& left = (*columns)[k * size + p];
        Complex& right = (*columns)[k * size + q];
        const Complex turned = right * phase;
        right = c * turned - s * left;
        left = c * left + s * turned;
      }
    }
    for (std::size_t k = 0; k < size; ++k) {
      const Complex upper = at(p, k);
      const Complex turned = at(q, k) * std::conj(phase);
      at(p, k) = c * upper + s * turned;
      at(q, k) = c * turned - s * upper;
    }
  }

  double off_diagonal() {
    double sum = 0.0;
    for (std::size_t p = 0; p < size; ++p) {
      for (std::size_t q = 0; q < p; ++q) sum += std::norm(at(p, q));
    }
    return sum;
  }

  void solve() {
    constexpr int most_sweeps = 60;
    double whole = 0.0;
    for (const Complex& value : matrix) whole += std::norm(value);
    for (int sweep = 0; sweep < most_sweeps && off_diagonal() > 1e-30 * whole; ++sweep) {
      for (std::size_t p = 0; p + 1 < size; ++p) {
        for (std::size_t q = p + 1; q < size; ++q) rotate(p, q);
      }
    }
  }
};

// What, added to the matrix, leaves a multiple of one plus a skew-symmetric matrix: p p^T each.
std::vector<std::vector<double>> rank_correction(HippoMeasure measure, std::size_t size) {
  if (measure == HippoMeasure::legs) {
    std::vector<double> p(size);
    for (std::size_t n = 0; n < size; ++n) p[n] = std::sqrt(0.5 + static_cast<double>(n));
    return {p};
  }
  std::vector<std::vector<double>> p(2, std::vector<double>(size, 0.0));
  for (std::size_t n = 0; n < size; ++n) {
    p[1 - n % 2][n] = std::sqrt((1.0 + 2.0 * static_cast<double>(n)) / 2.0);
  }
  return p;
}

HippoStart normal_plus_low_rank(HippoMeasure measure, std::size_t size) {
  const HippoSystem system = hippo_system(measure, static_cast<std::int64_t>(size));
  const auto corrections = rank_correction(measure, size);
  HermitianEigen eigen(size);
  double trace = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      double value = system.matrix(i, j);
      for (const auto& p : corrections) value += p[i] * p[j];
      if (i == j) trace += value;
      // A real skew-symmetric matrix times -i is Hermitian.
      eigen.at(i, j) = i == j ? 0.0 : Complex(0.0, -value);
    }
  }
  eigen.solve();
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return eigen.at(i, i).real() < eigen.at(j, j).real();
  });

  const std::size_t states = size / 2;
  HippoStart start;
  start.p.assign(corrections.size(), std::vector<Complex>(states));
  start.basis.resize(size * states);
  for (std::size_t n = 0; n < states; ++n) {
    const std::size_t column = order[n];
    start.a.emplace_back(trace / static_cast<double>(size), eigen.at(column, column).real());
    Complex b = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      const Complex vector = eigen.vectors[i * size + column];
      start.basis[i * states + n] = vector;
      b += std::conj(vector) * system.input[i];
      for (std::size_t r = 0; r < corrections.size(); ++r) {
        start.p[r][n] += std::conj(vector) * corrections[r][i];
      }
    }
    start.b.push_back(b);
  }
  return start;
}

}  // namespace

HippoSystem hippo_system(HippoMeasure measure, std::int64_t size) {
  const auto count = static_cast<std::size_t>(size);
  HippoSystem system{DenseF64(count), std::vector<double>(count)};
  const auto weight = [](std::size_t n) { return std::sqrt(2.0 * static_cast<double>(n) + 1.0); };
  switch (measure) {
    case HippoMeasure::legs:
      for (std::size_t n = 0; n < count; ++n) {
        for (std::size_t k = 0; k < n; ++k) system.matrix(n, k) = -weight(n) * weight(k);
        system.matrix(n, n) = -(static_cast<double>(n) + 1.0);
        system.input[n] = weight(n);
      }
      return system;
    case HippoMeasure::legt:
      // Halved, so that its time runs as the other measures' does.
      for (std::size_t n = 0; n < count; ++n) {
        for (std::size_t k = 0; k < count; ++k) {
          const double sign = n < k && (k - n) % 2 == 1 ? -1.0 : 1.0;
          system.matrix(n, k) = -0.5 * sign * weight(n) * weight(k);
        }
        system.input[n] = 0.5 * weight(n);
      }
      return system;
    default:
      throw InvalidArgument("HiPPO inv and lin are diagonal: they have no real state matrix");
  }
}

HippoStart hippo_start(HippoMeasure measure, std::int64_t size) {
  if (size < 2 || size % 2 != 0) {
    throw InvalidArgument(
        fmt::format("a HiPPO start has an even number of states from 2 on, not {}", size));
  }
  if (measure == HippoMeasure::legs || measure == HippoMeasure::legt) {
    return normal_plus_low_rank(measure, static_cast<std::size_t>(size));
  }
  HippoStart start;
  const auto whole = static_cast<double>(size);
  for (std::int64_t n = 0; n < size / 2; ++n) {
    const auto at = static_cast<double>(n);
    const double imaginary = measure == HippoMeasure::lin
                                 ? std::numbers::pi * at
                                 : whole / std::numbers::pi * (whole / (2.0 * at + 1.0) - 1.0);
    start.a.emplace_back(-0.5, -imaginary);
    start.b.emplace_back(1.0);
  }
  return start;
}

}  // namespace ssmgen::layers
