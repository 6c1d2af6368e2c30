#include "ops/s4_ops.hpp"

#include "ops/check.hpp"

namespace ssmgen::ops {
namespace {

using core::ElementType;
using core::Shape;
using core::TensorView;

void expect_f32(const char* op, const char* name, const TensorView& view, const Shape& shape) {
  expect_type(op, name, view, ElementType::f32);
  expect_shape(op, name, view, shape);
  expect_dense(op, name, view);
}

void expect_ends(const char* op, const TensorView& in, const TensorView& out) {
  expect_shape(op, "out", out, in.shape());
  expect_type(op, "out", out, in.type());
  expect_dense(op, "in", in);
  expect_dense(op, "out", out);
  if (in.data() == out.data()) {
    throw InvalidArgument(fmt::format("{}: out may not be the memory of in", op));
  }
}

// A cut group of positions is filled up with zeros, which a state must not pass through.
void expect_no_state_past_a_cut(const char* op, kernels::Direction direction, std::int64_t length,
                                std::int64_t group, const TensorView& state_in,
                                const TensorView& state_out) {
  if (length % group == 0) return;
  const bool rightwards = direction == kernels::Direction::left_to_right;
  if (!(rightwards ? state_out : state_in)) return;
  throw InvalidArgument(
      fmt::format("{}: a state is {} a length of {}, which is no multiple of {}: cut a sequence at "
                  "multiples of the tile length",
                  op, rightwards ? "handed on from" : "taken into", length, group));
}

// What goes in and comes out of a scan of a time-invariant state space model.
template <class T>
void set_ends(auto& args, const auto& tensors) {
  const Shape shape = tensors.in.shape();
  args.in = tensors.in.template as<T>();
  args.out = tensors.out.template as<T>();
  args.state_in = tensors.state_in.template as<float>();
  args.state_out = tensors.state_out.template as<float>();
  args.batch = shape[0];
  args.length = shape[1];
  args.channels = shape[2];
}

}  // namespace

void gelu(core::Context& ctx, const TensorView& in, const TensorView& out) {
  constexpr auto op = "gelu";
  expect_shape(op, "out", out, in.shape());
  expect_type(op, "out", out, in.type());
  expect_dense(op, "in", in);
  expect_dense(op, "out", out);
  dispatch(op, in.type(), [&]<class T>() {
    ctx.backend().gelu(ctx.stream(),
                       kernels::GeluArgs<T>{in.as<T>(), out.as<T>(), in.shape().count()});
  });
}

void glu(core::Context& ctx, const TensorView& in, const TensorView& out) {
  constexpr auto op = "glu";
  const std::int64_t rows = out.shape()[0];
  const std::int64_t channels = out.shape()[1];
  expect_shape(op, "in", in, {rows, 2 * channels});
  expect_type(op, "out", out, in.type());
  expect_dense(op, "in", in);
  expect_dense(op, "out", out);
  dispatch(op, in.type(), [&]<class T>() {
    ctx.backend().glu(ctx.stream(), kernels::GluArgs<T>{in.as<T>(), out.as<T>(), rows, channels});
  });
}

void diagonal_scan(core::Context& ctx, kernels::Direction direction,
                   const DiagonalScanTensors& tensors, bool accumulate) {
  constexpr auto op = "diagonal_scan";
  const Shape shape = tensors.in.shape();
  const std::int64_t channels = shape[2];
  const std::int64_t states = tensors.coefficients.shape()[0];
  expect_ends(op, tensors.in, tensors.out);
  expect_f32(op, "coefficients", tensors.coefficients,
             {states, std::int64_t{kernels::diagonal_scan_rows}, channels});
  expect_f32(op, "taps", tensors.taps, {kernels::diagonal_scan_group, channels});
  expect_f32(op, "tile_decay", tensors.tile_decay, {states, 2, channels});
  for (const TensorView& state : {tensors.state_in, tensors.state_out}) {
    if (state) expect_f32(op, "state", state, {shape[0], 2 * states, channels});
  }
  expect_no_state_past_a_cut(op, direction, shape[1], kernels::diagonal_scan_group,
                             tensors.state_in, tensors.state_out);
  dispatch(op, tensors.in.type(), [&]<class T>() {
    kernels::DiagonalScanArgs<T> args;
    args.coefficients = tensors.coefficients.as<float>();
    args.taps = tensors.taps.as<float>();
    args.tile_decay = tensors.tile_decay.as<float>();
    args.states = states;
    args.accumulate = accumulate;
    args.direction = direction;
    set_ends<T>(args, tensors);
    ctx.backend().diagonal_scan(ctx.stream(), args);
  });
}

void state_convolution(core::Context& ctx, kernels::Direction direction,
                       const StateConvolutionTensors& tensors, bool accumulate) {
  constexpr auto op = "state_convolution";
  constexpr std::int64_t block = kernels::convolution_block;
  const Shape shape = tensors.in.shape();
  const std::int64_t channels = shape[2];
  const std::int64_t states = tensors.out_table.shape()[1] / block;
  const std::int64_t panels = kernels::convolution_panels(channels);
  constexpr std::int64_t panel = kernels::convolution_panel;
  expect_ends(op, tensors.in, tensors.out);
  expect_f32(op, "taps", tensors.taps, {block, channels});
  expect_f32(op, "out_table", tensors.out_table, {panels, block * states, panel});
  expect_f32(op, "in_table", tensors.in_table, {panels, block * states, panel});
  expect_f32(op, "decay", tensors.decay, {panels, states * states, panel});
  for (const TensorView& state : {tensors.state_in, tensors.state_out}) {
    if (state) expect_f32(op, "state", state, {shape[0], states, channels});
  }
  expect_no_state_past_a_cut(op, direction, shape[1], block, tensors.state_in, tensors.state_out);
  dispatch(op, tensors.in.type(), [&]<class T>() {
    kernels::StateConvolutionArgs<T> args;
    args.taps = tensors.taps.as<float>();
    args.out_table = tensors.out_table.as<float>();
    args.in_table = tensors.in_table.as<float>();
    args.decay = tensors.decay.as<float>();
    args.states = states;
    args.accumulate = accumulate;
    args.direction = direction;
    set_ends<T>(args, tensors);
    ctx.backend().state_convolution(ctx.stream(), args);
  });
}

}  // namespace ssmgen::ops
