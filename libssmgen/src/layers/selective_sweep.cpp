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

namespace {

void expect_count(const char* what, const std::vector<float>& values, std::int64_t count) {
  if (static_cast<std::int64_t>(values.size()) == count) return;
  throw InvalidArgument(
      fmt::format("{}: {} weights were expected, got {}", what, count, values.size()));
}

kernels::SweepInputsSpec inputs_spec(const MambaSizes& sizes, Dtype dtype,
                                     const SweepWeights& weights) {
  expect_count("conv1d.weight", weights.conv_weight, sizes.d_inner * sizes.d_conv);
  if (!weights.conv_bias.empty()) expect_count("conv1d.bias", weights.conv_bias, sizes.d_inner);
  expect_count("x_proj", weights.x_proj, (sizes.dt_rank + 2 * sizes.d_state) * sizes.d_inner);
  expect_count("dt_proj.weight", weights.dt_proj, sizes.d_inner * sizes.dt_rank);
  expect_count("dt_proj.bias", weights.dt_bias, sizes.d_inner);
  kernels::SweepInputsSpec spec;
  spec.channels = sizes.d_inner;
  spec.rank = sizes.dt_rank;
  spec.states = sizes.d_state;
  spec.width = sizes.d_conv;
  spec.type = dtype;
  spec.conv_weight = weights.conv_weight.data();
  spec.conv_bias = weights.conv_bias.empty() ? nullptr : weights.conv_bias.data();
  spec.x_proj = weights.x_proj.data();
  spec.dt_proj = weights.dt_proj.data();
  spec.dt_bias = weights.dt_bias.data();
  return spec;
}

}  // namespace

MambaCarry MambaCarry::take(core::Workspace& workspace, const MambaSizes& sizes,
                            std::int64_t batch) {
  return {workspace.take(core::ElementType::f32, {batch, sizes.d_conv - 1, sizes.d_inner}),
          workspace.take(core::ElementType::f32, {batch, sizes.d_inner, sizes.d_state})};
}

// dt, B and C stay in f32 whatever the storage type: they are a few columns.
SelectiveSweep::SelectiveSweep(kernels::Backend& backend, const MambaSizes& sizes, Dtype dtype,
                               const SweepWeights& weights)
    : sizes_(sizes),
      a_(core::upload(backend, negative_exponential(weights.a_log), Dtype::f32,
                      {sizes.d_inner, sizes.d_state})),
      d_(core::upload(backend, weights.d, Dtype::f32, {sizes.d_inner})),
      inputs_(backend.prepare_sweep_inputs(inputs_spec(sizes, dtype, weights))) {
  if (inputs_ != nullptr) return;
  x_proj_ = prepare_product(backend, dtype, Dtype::f32, sizes.dt_rank + 2 * sizes.d_state,
                            sizes.d_inner, weights.x_proj, {});
  dt_proj_ = prepare_product(backend, Dtype::f32, dtype, sizes.d_inner, sizes.dt_rank,
                             weights.dt_proj, weights.dt_bias, kernels::Activation::softplus);
  conv_weight_ =
      core::upload(backend, weights.conv_weight, Dtype::f32, {sizes.d_inner, sizes.d_conv});
  if (!weights.conv_bias.empty()) {
    conv_bias_ = core::upload(backend, weights.conv_bias, Dtype::f32, {sizes.d_inner});
  }
}

void SelectiveSweep::make_inputs(core::Context& ctx, const ops::Sweep& sweep,
                                 const core::TensorView& x, const MambaCarry* carry_in,
                                 const MambaCarry* carry_out,
                                 const ops::SweepInputsTensors& to) const {
  const core::TensorView tail_in = carry_in != nullptr ? carry_in->conv_tail : core::TensorView();
  const core::TensorView tail_out =
      carry_out != nullptr ? carry_out->conv_tail : core::TensorView();
  if (inputs_ != nullptr) {
    ops::sweep_inputs(ctx, sweep, *inputs_, x, tail_in, tail_out, to);
    return;
  }
  const auto as_rows = [](const core::TensorView& tensor) {
    return tensor.reshape({tensor.shape()[0] * tensor.shape()[1], tensor.shape()[2]});
  };
  ops::causal_conv(ctx, sweep, x, conv_weight_, conv_bias_, tail_in, tail_out, to.u);
  ops::product(ctx, *x_proj_, as_rows(to.u), as_rows(to.p), false);
  ops::product(ctx, *dt_proj_, as_rows(to.p).channels(0, sizes_.dt_rank), as_rows(to.delta), false);
}

void SelectiveSweep::forward(core::Context& ctx, const ops::Sweep& sweep, const core::TensorView& x,
                             const core::TensorView& gate, const MambaCarry* carry_in,
                             const MambaCarry* carry_out, const core::TensorView& out,
                             bool accumulate) const {
  const core::Workspace::Scope scope(ctx.workspace());
  const ops::SweepInputsTensors inputs =
      take_inputs(ctx.workspace(), x.type(), x.shape()[0], x.shape()[1]);
  make_inputs(ctx, sweep, x, carry_in, carry_out, inputs);
  scan(ctx, sweep, inputs, gate, carry_in, carry_out, out, accumulate);
}

ops::SweepInputsTensors SelectiveSweep::take_inputs(core::Workspace& workspace,
                                                    core::ElementType type, std::int64_t batch,
                                                    std::int64_t length) const {
  ops::SweepInputsTensors inputs;
  inputs.u = workspace.take(type, {batch, length, sizes_.d_inner});
  inputs.p =
      workspace.take(core::ElementType::f32, {batch, length, sizes_.dt_rank + 2 * sizes_.d_state});
  inputs.delta = workspace.take(type, {batch, length, sizes_.d_inner});
  return inputs;
}

void SelectiveSweep::scan(core::Context& ctx, const ops::Sweep& sweep,
                          const ops::SweepInputsTensors& inputs, const core::TensorView& gate,
                          const MambaCarry* carry_in, const MambaCarry* carry_out,
                          const core::TensorView& out, bool accumulate) const {
  const std::int64_t rank = sizes_.dt_rank;
  const std::int64_t states = sizes_.d_state;
  ops::SelectiveScanTensors tensors;
  tensors.x = inputs.u;
  tensors.delta = inputs.delta;
  tensors.a = a_;
  tensors.b = inputs.p.channels(rank, rank + states);
  tensors.c = inputs.p.channels(rank + states, rank + 2 * states);
  tensors.d = d_;
  tensors.gate = gate;
  if (carry_in != nullptr) tensors.state_in = carry_in->scan_state;
  if (carry_out != nullptr) tensors.state_out = carry_out->scan_state;
  tensors.out = out;
  ops::selective_scan(ctx, sweep, tensors, accumulate);
}

}  // namespace ssmgen::layers
