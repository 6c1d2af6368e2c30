#pragma once

#include <cstdint>

#include "layers/hippo.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// Random weights of any shape, drawn as Mamba and S4 initialise their own, so that a shape can be
/// timed without a checkpoint. The same name and seed give the same values.
class RandomSource final : public WeightSource {
 public:
  /// `start` is where the state matrices of S4 models begin.
  explicit RandomSource(std::uint64_t seed, layers::HippoMeasure start = layers::HippoMeasure::legs)
      : seed_(seed), start_(start) {}

  bool has(const std::string& name) const override;
  std::vector<float> f32(const std::string& name, const std::vector<std::int64_t>& shape) override;
  std::int64_t length(const std::string&) override { return 0; }
  void tie(const std::string&, const std::string&) override {}
  void ignore(const std::string&) override {}

  /// Values drawn so far: the parameters of the network.
  std::int64_t parameter_count() const noexcept { return parameters_; }

 private:
  std::vector<float> s4_values(const std::string& name,
                               const std::vector<std::int64_t>& shape) const;

  std::uint64_t seed_;
  layers::HippoMeasure start_;
  std::int64_t parameters_ = 0;
};

}  // namespace ssmgen::models
