#include "ops/ops.hpp"

#include <utility>

#include "ops/check.hpp"

namespace ssmgen::ops {

using core::ElementType;
using core::Shape;
using core::TensorView;

void token_embedding(core::Context& ctx, const TensorView& ids, const TensorView& id_map,
                     const TensorView& weight, const TensorView& out) {
  constexpr auto op = "token_embedding";
  expect_type(op, "ids", ids, ElementType::i32);
  expect_shape(op, "out", out, {ids.shape()[0], weight.shape()[1]});
  expect_type(op, "out", out, weight.type());
  expect_dense(op, "weight", weight);
  expect_dense(op, "out", out);
  if (id_map) expect_shape(op, "id_map", id_map, {weight.shape()[0]});
  dispatch(op, weight.type(), [&]<class T>() {
    kernels::TokenEmbeddingArgs<T> args;
    args.ids = ids.as<std::int32_t>();
    args.id_map = id_map.as<std::int32_t>();
    args.weight = weight.as<T>();
    args.out = out.as<T>();
    args.rows = out.shape()[0];
    args.channels = out.shape()[1];
    ctx.backend().token_embedding(ctx.stream(), args);
  });
}

namespace {

template <class T, class R>
void add_norm_typed(core::Context& ctx, const NormParameters& norm, const TensorView& hidden,
                    const TensorView& residual_in, const TensorView& residual_out,
                    const TensorView& out, bool reverse_channels) {
  kernels::AddNormArgs<T, R> args;
  args.hidden = hidden.as<T>();
  args.residual_in = residual_in.as<R>();
  args.residual_out = residual_out.as<R>();
  args.weight = norm.weight.as<float>();
  args.bias = norm.bias.as<float>();
  args.out = out.as<T>();
  const Shape shape = (hidden ? hidden : residual_in).shape();
  args.rows = shape[0];
  args.channels = shape[1];
  args.epsilon = norm.epsilon;
  args.reverse_channels = reverse_channels;
  if (norm.kind == NormKind::rms) {
    ctx.backend().add_rms_norm(ctx.stream(), args);
  } else {
    ctx.backend().add_layer_norm(ctx.stream(), args);
  }
}

}  // namespace

void add_norm(core::Context& ctx, const NormParameters& norm, const TensorView& hidden,
              const TensorView& residual_in, const TensorView& residual_out, const TensorView& out,
              bool reverse_channels) {
  constexpr auto op = "add_norm";
  if ((!hidden && !residual_in) || (!residual_out && !out)) {
    throw InvalidArgument("add_norm: something to read and something to write are needed");
  }
  const Shape shape = (hidden ? hidden : residual_in).shape();
  expect_shape(op, "weight", norm.weight, {shape[1]});
  if (norm.bias) expect_shape(op, "bias", norm.bias, {shape[1]});
  ElementType residual_type = (hidden ? hidden : out ? out : residual_in).type();
  const ElementType type = residual_type;
  for (const TensorView& stream : {hidden, out}) {
    if (!stream) continue;
    expect_shape(op, "hidden or out", stream, shape);
    expect_type(op, "hidden or out", stream, type);
    expect_dense(op, "hidden or out", stream);
  }
  for (const TensorView& residual : {residual_in, residual_out}) {
    if (!residual) continue;
    expect_shape(op, "residual", residual, shape);
    expect_dense(op, "residual", residual);
    residual_type = residual.type();
  }
  if (residual_in && residual_out) expect_type(op, "residual_in", residual_in, residual_type);
  dispatch(op, type, [&]<class T>() {
    if (residual_type == ElementType::f32) {
      add_norm_typed<T, float>(ctx, norm, hidden, residual_in, residual_out, out, reverse_channels);
    } else {
      add_norm_typed<T, T>(ctx, norm, hidden, residual_in, residual_out, out, reverse_channels);
    }
  });
}

void product(core::Context& ctx, const kernels::PreparedProduct& product, const TensorView& in,
             const TensorView& out, bool accumulate) {
  if (in.shape().rank() != 2 || out.shape().rank() != 2 || in.shape()[0] != out.shape()[0]) {
    throw InvalidArgument(fmt::format("product: rows of {} and {} differ",
                                      core::to_string(in.shape()), core::to_string(out.shape())));
  }
  kernels::ProductArgs args;
  args.product = &product;
  args.in = in.data();
  args.out = out.data();
  args.rows = in.shape()[0];
  args.in_row_stride = in.stride(0);
  args.out_row_stride = out.stride(0);
  args.accumulate = accumulate;
  ctx.backend().product(ctx.stream(), args);
}

void causal_conv(core::Context& ctx, const Sweep& sweep, const TensorView& in,
                 const TensorView& weight, const TensorView& bias, const TensorView& carry_in,
                 const TensorView& carry_out, const TensorView& out) {
  constexpr auto op = "causal_conv";
  const std::int64_t channels = in.shape()[2];
  const std::int64_t width = weight.shape()[1];
  expect_shape(op, "out", out, in.shape());
  expect_type(op, "out", out, in.type());
  expect_dense(op, "out", out);
  expect_shape(op, "weight", weight, {channels, width});
  if (bias) expect_shape(op, "bias", bias, {channels});
  for (const TensorView& carry : {carry_in, carry_out}) {
    if (carry) expect_shape(op, "carry", carry, {in.shape()[0], width - 1, channels});
  }
  dispatch(op, in.type(), [&]<class T>() {
    kernels::CausalConvArgs<T> args;
    args.in = in.as<T>();
    args.in_batch_stride = in.stride(0);
    args.in_row_stride = in.stride(1);
    args.weight = weight.as<float>();
    args.bias = bias.as<float>();
    args.carry_in = carry_in.as<float>();
    args.carry_out = carry_out.as<float>();
    args.out = out.as<T>();
    args.batch = in.shape()[0];
    args.opposite_from = sweep.opposite_from;
    args.length = in.shape()[1];
    args.channels = channels;
    args.width = width;
    args.direction = sweep.direction;
    ctx.backend().causal_conv(ctx.stream(), args);
  });
}

void sweep_inputs(core::Context& ctx, const Sweep& sweep,
                  const kernels::PreparedSweepInputs& prepared, const TensorView& x,
                  const TensorView& carry_in, const TensorView& carry_out,
                  const SweepInputsTensors& to) {
  constexpr auto op = "sweep_inputs";
  expect_type(op, "x", x, ElementType::bf16);
  for (const auto& [name, tensor] : {std::pair("u", to.u), std::pair("delta", to.delta)}) {
    expect_shape(op, name, tensor, x.shape());
    expect_type(op, name, tensor, x.type());
    expect_dense(op, name, tensor);
  }
  expect_type(op, "p", to.p, ElementType::f32);
  expect_dense(op, "p", to.p);
  kernels::SweepInputsArgs args;
  args.prepared = &prepared;
  args.x = x.as<kernels::bfloat16>();
  args.x_batch_stride = x.stride(0);
  args.x_row_stride = x.stride(1);
  args.carry_in = carry_in.as<float>();
  args.carry_out = carry_out.as<float>();
  args.u = to.u.as<kernels::bfloat16>();
  args.p = to.p.as<float>();
  args.delta = to.delta.as<kernels::bfloat16>();
  args.batch = x.shape()[0];
  args.opposite_from = sweep.opposite_from;
  args.length = x.shape()[1];
  args.direction = sweep.direction;
  ctx.backend().sweep_inputs(ctx.stream(), args);
}

void selective_scan(core::Context& ctx, const Sweep& sweep, const SelectiveScanTensors& tensors,
                    bool accumulate) {
  constexpr auto op = "selective_scan";
  const Shape shape = tensors.x.shape();
  const std::int64_t batch = shape[0];
  const std::int64_t length = shape[1];
  const std::int64_t channels = shape[2];
  const std::int64_t states = tensors.a.shape()[1];
  expect_shape(op, "delta", tensors.delta, shape);
  expect_type(op, "delta", tensors.delta, tensors.x.type());
  expect_dense(op, "delta", tensors.delta);
  expect_shape(op, "a", tensors.a, {channels, states});
  expect_shape(op, "b", tensors.b, {batch, length, states});
  expect_shape(op, "c", tensors.c, {batch, length, states});
  expect_shape(op, "out", tensors.out, shape);
  expect_type(op, "out", tensors.out, tensors.x.type());
  expect_dense(op, "out", tensors.out);
  if (tensors.b.stride(0) != tensors.c.stride(0) || tensors.b.stride(1) != tensors.c.stride(1)) {
    throw InvalidArgument("selective_scan: b and c must share their strides");
  }
  if (tensors.d) expect_shape(op, "d", tensors.d, {channels});
  for (const TensorView& state : {tensors.state_in, tensors.state_out}) {
    if (state) expect_shape(op, "state", state, {batch, channels, states});
  }
  if (tensors.gate) {
    expect_shape(op, "gate", tensors.gate, shape);
    expect_type(op, "gate", tensors.gate, tensors.x.type());
  }
  dispatch(op, tensors.x.type(), [&]<class T>() {
    kernels::SelectiveScanArgs<T> args;
    args.x = tensors.x.as<T>();
    args.x_batch_stride = tensors.x.stride(0);
    args.x_row_stride = tensors.x.stride(1);
    args.delta = tensors.delta.as<T>();
    args.a = tensors.a.as<float>();
    args.b = tensors.b.as<float>();
    args.c = tensors.c.as<float>();
    args.bc_batch_stride = tensors.b.stride(0);
    args.bc_row_stride = tensors.b.stride(1);
    args.d = tensors.d.as<float>();
    args.gate = tensors.gate.as<T>();
    args.gate_batch_stride = tensors.gate.stride(0);
    args.gate_row_stride = tensors.gate.stride(1);
    args.state_in = tensors.state_in.as<float>();
    args.state_out = tensors.state_out.as<float>();
    args.out = tensors.out.as<T>();
    args.accumulate = accumulate;
    args.batch = batch;
    args.opposite_from = sweep.opposite_from;
    args.sequence_length = sweep.sequence_length;
    args.length = length;
    args.channels = channels;
    args.states = states;
    args.direction = sweep.direction;
    ctx.backend().selective_scan(ctx.stream(), args);
  });
}

void multiply(core::Context& ctx, const TensorView& a, const TensorView& b, const TensorView& out) {
  constexpr auto op = "multiply";
  expect_shape(op, "b", b, a.shape());
  expect_shape(op, "out", out, a.shape());
  expect_dense(op, "a", a);
  expect_dense(op, "b", b);
  expect_dense(op, "out", out);
  dispatch(op, a.type(), [&]<class T>() {
    ctx.backend().multiply(ctx.stream(), kernels::MultiplyArgs<T>{a.as<T>(), b.as<T>(), out.as<T>(),
                                                                  a.shape().count()});
  });
}

void gather_rows(core::Context& ctx, const TensorView& in, const TensorView& row_index,
                 const TensorView& out) {
  constexpr auto op = "gather_rows";
  expect_type(op, "row_index", row_index, ElementType::i64);
  expect_shape(op, "out", out, {row_index.shape()[0], in.shape()[1]});
  expect_type(op, "out", out, in.type());
  expect_dense(op, "out", out);
  dispatch(op, in.type(), [&]<class T>() {
    kernels::GatherRowsArgs<T> args;
    args.in = in.as<T>();
    args.in_row_stride = in.stride(0);
    args.row_index = row_index.as<std::int64_t>();
    args.out = out.as<T>();
    args.rows = out.shape()[0];
    args.channels = out.shape()[1];
    ctx.backend().gather_rows(ctx.stream(), args);
  });
}

void place_rows(core::Context& ctx, const TensorView& in, const TensorView& residual,
                const TensorView& out, bool reversed) {
  constexpr auto op = "place_rows";
  if (residual) {
    expect_shape(op, "residual", residual, in.shape());
    expect_type(op, "residual", residual, ElementType::f32);
  }
  expect_shape(op, "out", out, in.shape());
  expect_type(op, "out", out, ElementType::f32);
  dispatch(op, in.type(), [&]<class T>() {
    kernels::PlaceRowsArgs<T> args;
    args.in = in.as<T>();
    args.in_row_stride = in.stride(0);
    args.residual = residual.as<float>();
    args.residual_row_stride = residual.stride(0);
    args.out = out.as<float>();
    args.out_row_stride = out.stride(0);
    args.rows = in.shape()[0];
    args.channels = in.shape()[1];
    args.reversed = reversed;
    ctx.backend().place_rows(ctx.stream(), args);
  });
}

void lm_head(core::Context& ctx, const TensorView& plus, const TensorView& minus,
             const TensorView& weight, const TensorView& complement, const TensorView& logits) {
  constexpr auto op = "lm_head";
  const std::int64_t vocabulary = weight.shape()[0];
  expect_shape(op, "weight", weight, {vocabulary, plus.shape()[1]});
  expect_type(op, "weight", weight, ElementType::f32);
  expect_shape(op, "logits", logits, {plus.shape()[0], vocabulary});
  expect_dense(op, "plus", plus);
  if (minus) {
    expect_shape(op, "minus", minus, plus.shape());
    expect_dense(op, "minus", minus);
    expect_shape(op, "complement", complement, {vocabulary});
  }
  dispatch(op, plus.type(), [&]<class T>() {
    kernels::LmHeadArgs<T> args;
    args.plus = plus.as<T>();
    args.minus = minus.as<T>();
    args.weight = weight.as<float>();
    args.complement = complement.as<std::int32_t>();
    args.logits = logits.as<float>();
    args.rows = plus.shape()[0];
    args.channels = plus.shape()[1];
    args.vocabulary = vocabulary;
    ctx.backend().lm_head(ctx.stream(), args);
  });
}

void base_log_softmax(core::Context& ctx, const TensorView& logits,
                      const std::array<std::int32_t, 4>& base_ids, const TensorView& out) {
  constexpr auto op = "base_log_softmax";
  expect_shape(op, "out", out, {logits.shape()[0], 4});
  kernels::BaseLogSoftmaxArgs args;
  args.logits = logits.as<float>();
  args.base_ids = base_ids;
  args.out = out.as<float>();
  args.rows = logits.shape()[0];
  args.vocabulary = logits.shape()[1];
  ctx.backend().base_log_softmax(ctx.stream(), args);
}

}  // namespace ssmgen::ops
