#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ssmgen::models {

/// Where a network takes its tensors from: a checkpoint, or a generator of random weights.
class WeightSource {
 public:
  WeightSource() = default;
  WeightSource(const WeightSource&) = delete;
  WeightSource& operator=(const WeightSource&) = delete;
  virtual ~WeightSource() = default;

  virtual bool has(const std::string& name) const = 0;
  /// The tensor as f32, row-major. @throws FormatError naming the tensor when it is missing, of
  /// another shape or not finite.
  virtual std::vector<float> f32(const std::string& name,
                                 const std::vector<std::int64_t>& shape) = 0;
  /// A length stored as an integer scalar; 0 when there is none. @throws FormatError when it is
  /// negative or no integer.
  virtual std::int64_t length(const std::string& name) = 0;
  /// Notes that `name` is absent and the tied tensor `used_instead` serves for it.
  virtual void tie(const std::string& name, const std::string& used_instead) = 0;
  /// Marks a tensor that the network knows and does not need, so that it is not reported.
  virtual void ignore(const std::string& name) = 0;
};

}  // namespace ssmgen::models
