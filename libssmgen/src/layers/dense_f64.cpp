#include "layers/dense_f64.hpp"

#include <algorithm>
#include <cmath>
#include <ssmgen/errors.hpp>
#include <utility>

namespace ssmgen::layers {
namespace {

// Brings `matrix` to the identity and `right` (rows of `width` values) to the solution.
void eliminate(DenseF64 matrix, std::vector<double>& right, std::size_t width) {
  const std::size_t size = matrix.size();
  for (std::size_t column = 0; column < size; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < size; ++row) {
      if (std::abs(matrix(row, column)) > std::abs(matrix(pivot, column))) pivot = row;
    }
    if (!(std::abs(matrix(pivot, column)) > 0.0)) {
      throw InvalidArgument(
          "the state matrix of an S4 kernel is singular: its C cannot be recovered from the stored "
          "one");
    }
    if (pivot != column) {
      for (std::size_t j = column; j < size; ++j) std::swap(matrix(pivot, j), matrix(column, j));
      for (std::size_t j = 0; j < width; ++j) {
        std::swap(right[pivot * width + j], right[column * width + j]);
      }
    }
    const double inverse = 1.0 / matrix(column, column);
    for (std::size_t j = column; j < size; ++j) matrix(column, j) *= inverse;
    for (std::size_t j = 0; j < width; ++j) right[column * width + j] *= inverse;
    for (std::size_t row = 0; row < size; ++row) {
      const double factor = matrix(row, column);
      if (row == column || factor == 0.0) continue;
      for (std::size_t j = column; j < size; ++j) matrix(row, j) -= factor * matrix(column, j);
      for (std::size_t j = 0; j < width; ++j) {
        right[row * width + j] -= factor * right[column * width + j];
      }
    }
  }
}

}  // namespace

DenseF64 DenseF64::identity(std::size_t size) {
  DenseF64 result(size);
  for (std::size_t i = 0; i < size; ++i) result(i, i) = 1.0;
  return result;
}

DenseF64 DenseF64::transposed() const {
  DenseF64 result(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j < size_; ++j) result(j, i) = (*this)(i, j);
  }
  return result;
}

std::vector<double> DenseF64::times(const std::vector<double>& vector) const {
  std::vector<double> result(size_, 0.0);
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j < size_; ++j) result[i] += (*this)(i, j) * vector[j];
  }
  return result;
}

std::vector<double> DenseF64::transposed_times(const std::vector<double>& vector) const {
  std::vector<double> result(size_, 0.0);
  for (std::size_t i = 0; i < size_; ++i) {
    for (std::size_t j = 0; j < size_; ++j) result[j] += vector[i] * (*this)(i, j);
  }
  return result;
}

DenseF64 DenseF64::times(const DenseF64& other) const {
  DenseF64 result(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    double* to = result.values_.data() + i * size_;
    for (std::size_t k = 0; k < size_; ++k) {
      const double factor = (*this)(i, k);
      const double* from = other.values_.data() + k * size_;
      for (std::size_t j = 0; j < size_; ++j) to[j] += factor * from[j];
    }
  }
  return result;
}

DenseF64 DenseF64::to_power(std::size_t exponent) const {
  DenseF64 result = identity(size_);
  DenseF64 square = *this;
  for (std::size_t left = exponent; left > 0; left /= 2) {
    if (left % 2 == 1) result = result.times(square);
    if (left > 1) square = square.times(square);
  }
  return result;
}

DenseF64 DenseF64::solve(DenseF64 right) const {
  eliminate(*this, right.values_, size_);
  return right;
}

std::vector<double> DenseF64::solve(const std::vector<double>& right) const {
  std::vector<double> result = right;
  eliminate(*this, result, 1);
  return result;
}

}  // namespace ssmgen::layers
