#include "layers/s4_block.hpp"

#include "layers/selective_sweep.hpp"
#include "ops/ops.hpp"
#include "ops/s4_ops.hpp"

namespace ssmgen::layers {

S4Block::S4Block(kernels::Backend& backend, Dtype dtype, const S4BlockWeights& weights)
    : channels_(weights.model.channels),
      is_bidirectional_(weights.model.directions == 2),
      sweep_(make_s4_sweep(backend, weights.model)),
      output_(prepare_product(backend, dtype, dtype, 2 * channels_, channels_, weights.output,
                              weights.output_bias)) {
  if (weights.norm) norm_ = Norm(backend, *weights.norm);
}

void S4Block::finish(core::Context& ctx, const core::TensorView& mixed,
                     const core::TensorView& out) const {
  const core::Workspace::Scope scope(ctx.workspace());
  ops::gelu(ctx, mixed, mixed);
  const core::TensorView gated =
      ctx.workspace().take(mixed.type(), {mixed.shape()[0], 2 * channels_});
  ops::product(ctx, *output_, mixed, gated, false);
  ops::glu(ctx, gated, out);
}

}  // namespace ssmgen::layers
