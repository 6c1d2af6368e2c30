#include "layers/selective_sweep.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::layers {
namespace {

std::vector<float> negative_exponential(const std::vector<float>& values) {
  std::vector<float> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(),
                 [](float value) { return -std::exp(value); });
  return result;
}

}  // namespace

std::unique_ptr<kernels::PreparedProduct> prepare_product(kernels::Backend& backend, Dtype in,
                                                          Dtype out, std::int64_t outputs,
                                                          std::int64_t inputs,
                                                          const std::vector<float>& weight,
                                                          const std::vector<float>& bias,
                                                          kernels::Activation activation) {
  if (static_cast<std::int64_t>(weight.size()) != outputs * inputs ||
      (!bias.empty() && static_cast<std::int64_t>(bias.size()) != outputs)) {
    throw InvalidArgument(
        fmt::format("a product of {} outputs and {} inputs was given {} weights and {} biases",
                    outputs, inputs, weight.size(), bias.size()));
  }
  kernels::ProductSpec spec;
  spec.inputs = inputs;
  spec.outputs = outputs;
  spec.in = in;
  spec.out = out;
  spec.activation = activation;
  spec.weight = weight.data();
  spec.bias = bias.empty() ? nullptr : bias.data();
  return backend.prepare_product(spec);
}

// dt, B and C stay in f32 whatever the storage type: they are a few columns.
SelectiveSweep::SelectiveSweep(kernels::Backend& backend, const MambaSizes& sizes, Dtype dtype,
                               const SweepWeights& weights)
    : sizes_(sizes),
      conv_weight_(
          core::upload(backend, weights.conv_weight, Dtype::f32, {sizes.d_inner, sizes.d_conv})),
      a_(core::upload(backend, negative_exponential(weights.a_log), Dtype::f32,
                      {sizes.d_inner, sizes.d_state})),
      d_(core::upload(backend, weights.d, Dtype::f32, {sizes.d_inner})),
      x_proj_(prepare_product(backend, dtype, Dtype::f32, sizes.dt_rank + 2 * sizes.d_state,
                              sizes.d_inner, weights.x_proj, {})),
      dt_proj_(prepare_product(backend, Dtype::f32, dtype, sizes.d_inner, sizes.dt_rank,
                               weights.dt_proj, weights.dt_bias, kernels::Activation::softplus)) {
  if (!weights.conv_bias.empty()) {
    conv_bias_ = core::upload(backend, weights.conv_bias, Dtype::f32, {sizes.d_inner});
  }
}

void SelectiveSweep::forward(core::Context& ctx, const ops::Sweep& sweep, const core::TensorView& x,
                             const core::TensorView& gate, const MambaCarry* carry_in,
                             const MambaCarry* carry_out, const core::TensorView& out,
                             bool accumulate) const {
  const core::Workspace::Scope scope(ctx.workspace());
  const std::int64_t batch = x.shape()[0];
  const std::int64_t length = x.shape()[1];
  const std::int64_t rows = batch * length;
  const std::int64_t rank = sizes_.dt_rank;
  const std::int64_t states = sizes_.d_state;
  const std::int64_t projected = rank + 2 * states;

  const core::TensorView conv = ctx.workspace().take(x.type(), {batch, length, sizes_.d_inner});
  ops::causal_conv(ctx, sweep, x, conv_weight_, conv_bias_,
                   carry_in != nullptr ? carry_in->conv_tail : core::TensorView(),
                   carry_out != nullptr ? carry_out->conv_tail : core::TensorView(), conv);

  const core::TensorView dt_b_c = ctx.workspace().take(core::ElementType::f32, {rows, projected});
  ops::product(ctx, *x_proj_, conv.reshape({rows, sizes_.d_inner}), dt_b_c, false);

  const core::TensorView delta = ctx.workspace().take(x.type(), {batch, length, sizes_.d_inner});
  ops::product(ctx, *dt_proj_, dt_b_c.channels(0, rank), delta.reshape({rows, sizes_.d_inner}),
               false);

  const core::TensorView by_position = dt_b_c.reshape({batch, length, projected});
  ops::SelectiveScanTensors scan;
  scan.x = conv;
  scan.delta = delta;
  scan.a = a_;
  scan.b = by_position.channels(rank, rank + states);
  scan.c = by_position.channels(rank + states, projected);
  scan.d = d_;
  scan.gate = gate;
  if (carry_in != nullptr) scan.state_in = carry_in->scan_state;
  if (carry_out != nullptr) scan.state_out = carry_out->scan_state;
  scan.out = out;
  ops::selective_scan(ctx, sweep, scan, accumulate);
}

}  // namespace ssmgen::layers
