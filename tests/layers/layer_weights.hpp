#pragma once
// Small random layers for the tests of this folder.

#include <algorithm>
#include <random>
#include <vector>

#include "core/backend_loader.hpp"
#include "core/context.hpp"
#include "layers/bi_mamba_block.hpp"

namespace ssmgen::layers::test_layers {

inline constexpr MambaSizes sizes{12, 24, 16, 4, 2};  // d_model, d_inner, d_state, d_conv, dt_rank

class Random {
 public:
  explicit Random(unsigned seed) : generator_(seed) {}

  std::vector<float> values(std::int64_t count, float scale = 0.5f) {
    std::normal_distribution<float> normal(0.0f, scale);
    std::vector<float> result(static_cast<std::size_t>(count));
    std::generate(result.begin(), result.end(), [&] { return normal(generator_); });
    return result;
  }

  SweepWeights sweep() {
    SweepWeights weights;
    weights.conv_weight = values(sizes.d_inner * sizes.d_conv);
    weights.conv_bias = values(sizes.d_inner);
    weights.x_proj = values((sizes.dt_rank + 2 * sizes.d_state) * sizes.d_inner);
    weights.dt_proj = values(sizes.d_inner * sizes.dt_rank);
    weights.dt_bias = values(sizes.d_inner);
    weights.a_log = values(sizes.d_inner * sizes.d_state);
    weights.d = values(sizes.d_inner);
    return weights;
  }

  ProjectionWeights projection() {
    ProjectionWeights weights;
    weights.in_proj = values(2 * sizes.d_inner * sizes.d_model);
    weights.in_bias = values(2 * sizes.d_inner);
    weights.out_proj = values(sizes.d_model * sizes.d_inner);
    weights.out_bias = values(sizes.d_model);
    return weights;
  }

 private:
  std::mt19937 generator_;
};

/// A back end with its context, and host values on it and back.
struct Machine {
  std::shared_ptr<kernels::Backend> backend = core::open_backend({}, 2);
  core::Context context{*backend};

  core::Tensor tensor(const std::vector<float>& values, const core::Shape& shape) const {
    return core::upload(*backend, values, Dtype::f32, shape);
  }
  std::vector<float> host(const core::TensorView& view) const {
    std::vector<float> values(static_cast<std::size_t>(view.shape().count()));
    core::download(*backend, context.stream(), view, values);
    return values;
  }
};

}  // namespace ssmgen::layers::test_layers
