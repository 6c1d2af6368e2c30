#include "stream/causal_stack.hpp"

#include <algorithm>
#include <ssmgen/errors.hpp>

#include "ops/ops.hpp"
#include "stream/token_ids.hpp"

namespace ssmgen::stream {

using core::ElementType;
using core::TensorView;
using core::Workspace;
using layers::Pass;

CausalStack::CausalStack(const models::MambaStack& stack, core::Context& ctx)
    : stack_(stack), ctx_(ctx) {
  if (!stack.shape.is_causal()) {
    throw InvalidArgument(not_causal);
  }
  const layers::MambaSizes& sizes = stack.shape.sizes;
  for (std::int64_t layer = 0; layer < stack.shape.n_layer; ++layer) {
    conv_tails_.emplace_back(ctx.backend(), ElementType::f32,
                             core::Shape{1, sizes.d_conv - 1, sizes.d_inner});
    scan_states_.emplace_back(ctx.backend(), ElementType::f32,
                              core::Shape{1, sizes.d_inner, sizes.d_state});
  }
}

std::vector<TensorView> CausalStack::states() const {
  std::vector<TensorView> views;
  for (std::size_t layer = 0; layer < conv_tails_.size(); ++layer) {
    views.push_back(conv_tails_[layer].view());
    views.push_back(scan_states_[layer].view());
  }
  return views;
}

void CausalStack::feed(std::span<const std::int32_t> ids, const RunOutputs& outputs) {
  const std::int64_t length = std::ssize(ids);
  check_token_ids(ids, 1, length, stack_.shape.vocabulary);
  StackReadOut read_out(stack_, ctx_, outputs, 1, length);
  const std::int64_t begin = position_;
  feed(ids, {0, 1, 0, length, length}, read_out);
  position_ = begin + length;
  ctx_.synchronize();
}

void CausalStack::feed(std::span<const std::int32_t> ids, const PartRange& part,
                       StackReadOut& read_out) {
  const Workspace::Scope scope(ctx_.workspace());
  Workspace& workspace = ctx_.workspace();
  const std::int64_t rows = part.length;
  const layers::MambaSizes& sizes = stack_.shape.sizes;
  const ElementType type = stack_.activation_type();
  const TensorView hidden = workspace.take(type, {rows, sizes.d_model});
  const TensorView residual = workspace.take(stack_.residual_type(), {rows, sizes.d_model});
  {
    const Workspace::Scope ids_scope(workspace);
    const TensorView device_ids = workspace.take(ElementType::i32, {rows});
    ctx_.backend().copy_from_host(ctx_.stream(), device_ids.data(), ids.data(), device_ids.bytes());
    ops::token_embedding(ctx_, device_ids, {}, stack_.embedding, hidden);
  }
  const auto as_batch = [](const TensorView& view) {
    return view.reshape({1, view.shape()[0], view.shape()[1]});
  };
  const bool is_start = position_ == 0 && part.begin == 0;
  for (std::size_t layer = 0; layer < stack_.blocks.size(); ++layer) {
    const Workspace::Scope block_scope(workspace);
    const layers::BiMambaBlock& block = stack_.blocks[layer];
    read_out.block_input(part, static_cast<std::int64_t>(layer), false, hidden);
    block.norm().forward(ctx_, hidden, layer > 0 ? residual : TensorView(), residual, hidden,
                         false);
    const TensorView x = workspace.take(type, {rows, sizes.d_inner});
    const TensorView gate = workspace.take(type, {rows, sizes.d_inner});
    const TensorView mixed = workspace.take(type, {rows, sizes.d_inner});
    block.project_x(ctx_, Pass::first, hidden, x);
    block.project_gate(ctx_, Pass::first, hidden, gate);
    const layers::MambaCarry carry{conv_tails_[layer].view(), scan_states_[layer].view()};
    block.sweep(ctx_, Pass::first, {kernels::Direction::left_to_right, 1, ops::endless},
                as_batch(x), as_batch(gate), is_start ? nullptr : &carry, &carry, as_batch(mixed),
                false);
    block.join(ctx_, mixed, {}, hidden);
  }
  StackPart end{part, {}};
  end.strands[0] = {hidden, residual, {}, {}};
  constexpr std::array minus{false};
  read_out.last_hidden(end, minus);
  read_out.predict(end);
}

}  // namespace ssmgen::stream
