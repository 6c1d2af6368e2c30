#include "models/mamba_stack.hpp"

namespace ssmgen::models {

MambaStack::MambaStack(kernels::Backend& backend, const MambaStackShape& stack_shape, Dtype storage,
                       const MambaStackWeights& weights)
    : shape(stack_shape), dtype(storage), final_norm(backend, weights.final_norm) {
  const core::Shape table{shape.vocabulary, shape.sizes.d_model};
  embedding = core::upload(backend, weights.embedding, dtype, table);
  head = core::upload(backend, weights.head, Dtype::f32, table);
  if (shape.strands == 2) {
    complement = core::upload(backend, weights.complement, {shape.vocabulary});
  }
}

}  // namespace ssmgen::models
