#include "layers/s4_sweep.hpp"

#include <array>

#include "ops/s4_ops.hpp"

namespace ssmgen::layers {
namespace {

using core::Shape;
using core::Tensor;
using core::TensorView;

constexpr std::size_t side_of(kernels::Direction direction) noexcept {
  return direction == kernels::Direction::left_to_right ? 0 : 1;
}

class DiagonalSweep final : public S4Sweep {
 public:
  DiagonalSweep(kernels::Backend& backend, const S4Parameters& s4)
      : states_(s4.states), channels_(s4.channels) {
    for (std::int64_t direction = 0; direction < s4.directions; ++direction) {
      const DiagonalTables tables =
          diagonal_tables(s4, direction, direction == 0 ? Lag::from_own : Lag::from_next);
      Side& side = sides_[static_cast<std::size_t>(direction)];
      side.coefficients =
          core::upload(backend, tables.coefficients, Dtype::f32,
                       {states_, std::int64_t{kernels::diagonal_scan_rows}, channels_});
      side.taps =
          core::upload(backend, tables.taps, Dtype::f32, {kernels::diagonal_scan_group, channels_});
      side.tile_decay =
          core::upload(backend, tables.tile_decay, Dtype::f32, {states_, 2, channels_});
    }
  }

  Shape carry_shape(std::int64_t batch) const override { return {batch, 2 * states_, channels_}; }

  void forward(core::Context& ctx, kernels::Direction direction, const TensorView& in,
               const TensorView& carry_in, const TensorView& carry_out, const TensorView& out,
               bool accumulate) const override {
    const Side& side = sides_[side_of(direction)];
    ops::DiagonalScanTensors scan;
    scan.in = in;
    scan.coefficients = side.coefficients;
    scan.taps = side.taps;
    scan.tile_decay = side.tile_decay;
    scan.state_in = carry_in;
    scan.state_out = carry_out;
    scan.out = out;
    ops::diagonal_scan(ctx, direction, scan, accumulate);
  }

 private:
  struct Side {
    Tensor coefficients;
    Tensor taps;
    Tensor tile_decay;
  };

  std::int64_t states_;
  std::int64_t channels_;
  std::array<Side, 2> sides_;
};

class ConvolutionSweep final : public S4Sweep {
 public:
  ConvolutionSweep(kernels::Backend& backend, const S4Parameters& s4)
      : states_(2 * s4.states), channels_(s4.channels) {
    constexpr std::int64_t block = kernels::convolution_block;
    const ConvolutionTables tables = convolution_tables(s4);
    const std::int64_t panels = kernels::convolution_panels(channels_);
    const Shape table{panels, block * states_, kernels::convolution_panel};
    for (std::size_t i = 0; i < tables.directions.size(); ++i) {
      sides_[i].taps =
          core::upload(backend, tables.directions[i].taps, Dtype::f32, {block, channels_});
      sides_[i].out_table =
          core::upload(backend, tables.directions[i].out_table, Dtype::f32, table);
    }
    in_table_ = core::upload(backend, tables.in_table, Dtype::f32, table);
    decay_ = core::upload(backend, tables.decay, Dtype::f32,
                          {panels, states_ * states_, kernels::convolution_panel});
  }

  Shape carry_shape(std::int64_t batch) const override { return {batch, states_, channels_}; }

  void forward(core::Context& ctx, kernels::Direction direction, const TensorView& in,
               const TensorView& carry_in, const TensorView& carry_out, const TensorView& out,
               bool accumulate) const override {
    const Side& side = sides_[side_of(direction)];
    ops::StateConvolutionTensors convolution;
    convolution.in = in;
    convolution.taps = side.taps;
    convolution.out_table = side.out_table;
    convolution.in_table = in_table_;
    convolution.decay = decay_;
    convolution.state_in = carry_in;
    convolution.state_out = carry_out;
    convolution.out = out;
    ops::state_convolution(ctx, direction, convolution, accumulate);
  }

 private:
  struct Side {
    Tensor taps;
    Tensor out_table;
  };

  std::int64_t states_;
  std::int64_t channels_;
  std::array<Side, 2> sides_;
  Tensor in_table_;
  Tensor decay_;
};

}  // namespace

std::unique_ptr<S4Sweep> make_s4_sweep(kernels::Backend& backend, const S4Parameters& parameters) {
  if (parameters.is_diagonal()) return std::make_unique<DiagonalSweep>(backend, parameters);
  return std::make_unique<ConvolutionSweep>(backend, parameters);
}

}  // namespace ssmgen::layers
