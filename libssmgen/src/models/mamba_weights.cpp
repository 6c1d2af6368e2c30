#include "models/mamba_weights.hpp"

namespace ssmgen::models {

layers::MambaSizes mamba_sizes(std::int64_t d_model, const MixerConfig& mixer) {
  return {d_model, d_model * mixer.expand, mixer.d_state, mixer.d_conv, mixer.dt_rank};
}

layers::SweepWeights read_sweep(WeightSource& source, const std::string& prefix,
                                const layers::MambaSizes& sizes, const MixerConfig& mixer) {
  layers::SweepWeights weights;
  weights.conv_weight = source.f32(prefix + "conv1d.weight", {sizes.d_inner, 1, sizes.d_conv});
  if (mixer.conv_bias) weights.conv_bias = source.f32(prefix + "conv1d.bias", {sizes.d_inner});
  weights.x_proj =
      source.f32(prefix + "x_proj.weight", {sizes.dt_rank + 2 * sizes.d_state, sizes.d_inner});
  weights.dt_proj = source.f32(prefix + "dt_proj.weight", {sizes.d_inner, sizes.dt_rank});
  weights.dt_bias = source.f32(prefix + "dt_proj.bias", {sizes.d_inner});
  weights.a_log = source.f32(prefix + "A_log", {sizes.d_inner, sizes.d_state});
  weights.d = source.f32(prefix + "D", {sizes.d_inner});
  return weights;
}

layers::ProjectionWeights read_projections(WeightSource& source, const std::string& prefix,
                                           const layers::MambaSizes& sizes,
                                           const MixerConfig& mixer) {
  layers::ProjectionWeights weights;
  weights.in_proj = source.f32(prefix + "in_proj.weight", {2 * sizes.d_inner, sizes.d_model});
  weights.out_proj = source.f32(prefix + "out_proj.weight", {sizes.d_model, sizes.d_inner});
  if (mixer.bias) {
    weights.in_bias = source.f32(prefix + "in_proj.bias", {2 * sizes.d_inner});
    weights.out_bias = source.f32(prefix + "out_proj.bias", {sizes.d_model});
  }
  return weights;
}

layers::NormWeights read_norm(WeightSource& source, const std::string& prefix, bool rms,
                              double epsilon, std::int64_t channels) {
  layers::NormWeights norm;
  norm.kind = rms ? ops::NormKind::rms : ops::NormKind::layer;
  norm.epsilon = static_cast<float>(epsilon);
  norm.weight = source.f32(prefix + "weight", {channels});
  if (!rms) norm.bias = source.f32(prefix + "bias", {channels});
  return norm;
}

}  // namespace ssmgen::models
