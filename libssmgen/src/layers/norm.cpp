#include "layers/norm.hpp"

namespace ssmgen::layers {

Norm::Norm(kernels::Backend& backend, const NormWeights& weights) {
  const core::Shape shape{static_cast<std::int64_t>(weights.weight.size())};
  weight_ = core::upload(backend, weights.weight, Dtype::f32, shape);
  if (!weights.bias.empty()) bias_ = core::upload(backend, weights.bias, Dtype::f32, shape);
  parameters_ = {weights.kind, weight_, bias_, weights.epsilon};
}

void Norm::forward(core::Context& ctx, const core::TensorView& hidden,
                   const core::TensorView& residual_in, const core::TensorView& residual_out,
                   const core::TensorView& out, bool reverse_channels) const {
  ops::add_norm(ctx, parameters_, hidden, residual_in, residual_out, out, reverse_channels);
}

}  // namespace ssmgen::layers
