#pragma once

#include <cstdint>

#include "models/weight_source.hpp"

namespace ssmgen::models {

/// Random weights of any shape, drawn as Mamba initialises its own, so that a shape can be timed
/// without a checkpoint. The same name and seed give the same values.
class RandomSource final : public WeightSource {
 public:
  explicit RandomSource(std::uint64_t seed) : seed_(seed) {}

  bool has(const std::string& name) const override;
  std::vector<float> f32(const std::string& name, const std::vector<std::int64_t>& shape) override;
  void tie(const std::string&, const std::string&) override {}
  void ignore(const std::string&) override {}

  /// Values drawn so far: the parameters of the network.
  std::int64_t parameter_count() const noexcept { return parameters_; }

 private:
  std::uint64_t seed_;
  std::int64_t parameters_ = 0;
};

}  // namespace ssmgen::models
