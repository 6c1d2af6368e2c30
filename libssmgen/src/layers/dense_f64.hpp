#pragma once
// Small dense matrices in f64, for setting a layer up; nothing here runs on a sequence.

#include <cstddef>
#include <vector>

namespace ssmgen::layers {

/// A square matrix, row-major.
class DenseF64 {
 public:
  explicit DenseF64(std::size_t size) : size_(size), values_(size * size, 0.0) {}
  static DenseF64 identity(std::size_t size);

  std::size_t size() const noexcept { return size_; }
  double& operator()(std::size_t row, std::size_t column) { return values_[row * size_ + column]; }
  double operator()(std::size_t row, std::size_t column) const {
    return values_[row * size_ + column];
  }

  DenseF64 transposed() const;
  /// this . vector
  std::vector<double> times(const std::vector<double>& vector) const;
  /// vector^T . this
  std::vector<double> transposed_times(const std::vector<double>& vector) const;
  DenseF64 times(const DenseF64& other) const;
  DenseF64 to_power(std::size_t exponent) const;

  /// The solution x of this . x = right, by elimination with row exchanges.
  /// @throws InvalidArgument when the matrix is singular.
  DenseF64 solve(DenseF64 right) const;
  std::vector<double> solve(const std::vector<double>& right) const;

 private:
  std::size_t size_;
  std::vector<double> values_;
};

}  // namespace ssmgen::layers
