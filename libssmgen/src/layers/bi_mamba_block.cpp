#include "layers/bi_mamba_block.hpp"

#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::layers {
namespace {

constexpr std::size_t index(Pass pass) noexcept {
  return pass == Pass::first ? 0 : 1;
}

}  // namespace

BiMambaBlock::BiMambaBlock(kernels::Backend& backend, const MambaSizes& sizes, Dtype dtype,
                           const BiMambaBlockWeights& weights)
    : sizes_(sizes), join_(weights.join), norm_(backend, weights.norm) {
  const bool one_out_proj =
      weights.second && !weights.second_projection && weights.join == Join::add;
  // in_proj's first d_inner outputs are x, the others the gate.
  const auto prepare_half = [&](const ProjectionWeights& projection, std::int64_t half) {
    const auto part = [&](const std::vector<float>& values) {
      if (values.size() % 2 != 0) {
        throw InvalidArgument(
            fmt::format("in_proj: an even number of weights was expected, got {}", values.size()));
      }
      const auto size = static_cast<std::ptrdiff_t>(values.size() / 2);
      return std::vector<float>(values.begin() + half * size, values.begin() + (half + 1) * size);
    };
    return prepare_product(backend, dtype, dtype, sizes.d_inner, sizes.d_model,
                           part(projection.in_proj), part(projection.in_bias));
  };
  const auto add_projection = [&](std::size_t i, const ProjectionWeights& projection) {
    // W.(y1 + y2) + 2b: each direction brings its bias, and one product serves both.
    std::vector<float> out_bias = projection.out_bias;
    if (one_out_proj) {
      for (float& value : out_bias) value *= 2.0f;
    }
    x_in_proj_[i] = prepare_half(projection, 0);
    gate_in_proj_[i] = prepare_half(projection, 1);
    out_proj_[i] = prepare_product(backend, dtype, dtype, sizes.d_model, sizes.d_inner,
                                   projection.out_proj, out_bias);
  };
  sweeps_[0] = std::make_unique<SelectiveSweep>(backend, sizes, dtype, weights.first);
  add_projection(0, weights.first_projection);
  if (weights.second) {
    sweeps_[1] = std::make_unique<SelectiveSweep>(backend, sizes, dtype, *weights.second);
    if (weights.second_projection) add_projection(1, *weights.second_projection);
  }
}

void BiMambaBlock::project_x(core::Context& ctx, Pass pass, const core::TensorView& normed,
                             const core::TensorView& x) const {
  const auto& own = x_in_proj_[index(pass)];
  ops::product(ctx, own != nullptr ? *own : *x_in_proj_[0], normed, x, false);
}

void BiMambaBlock::project_gate(core::Context& ctx, Pass pass, const core::TensorView& normed,
                                const core::TensorView& gate) const {
  const auto& own = gate_in_proj_[index(pass)];
  ops::product(ctx, own != nullptr ? *own : *gate_in_proj_[0], normed, gate, false);
}

void BiMambaBlock::sweep(core::Context& ctx, Pass pass, const ops::Sweep& sweep,
                         const core::TensorView& x, const core::TensorView& gate,
                         const MambaCarry* carry_in, const MambaCarry* carry_out,
                         const core::TensorView& mixed, bool accumulate) const {
  this->pass(pass).forward(ctx, sweep, x, gate, carry_in, carry_out, mixed, accumulate);
}

const SelectiveSweep& BiMambaBlock::pass(Pass pass) const noexcept {
  return *sweeps_[index(pass)];
}

void BiMambaBlock::join(core::Context& ctx, const core::TensorView& first,
                        const core::TensorView& second, const core::TensorView& hidden) const {
  ops::product(ctx, *out_proj_[0], first, hidden, false);
  if (!second) return;
  const auto& product = out_proj_[1] != nullptr ? *out_proj_[1] : *out_proj_[0];
  if (join_ == Join::add) {
    ops::product(ctx, product, second, hidden, true);
    return;
  }
  const core::Workspace::Scope scope(ctx.workspace());
  const core::TensorView other = ctx.workspace().take(hidden.type(), hidden.shape());
  ops::product(ctx, product, second, other, false);
  ops::multiply(ctx, hidden, other, hidden);
}

}  // namespace ssmgen::layers
