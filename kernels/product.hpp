#pragma once
// out[row] = (accumulate ? out[row] : 0) + weight . in[row] + bias
// or, with the activation softplus, softplus(weight . in[row] + bias): Mamba's time step.
//
// Shapes: in (rows, inputs) and out (rows, outputs) with row strides in elements; weight
// (outputs, inputs) dense, as a checkpoint stores it; bias (outputs) f32 or none.
// A row's result depends on that row alone, bit for bit: a back end pins one algorithm for each
// (outputs, inputs, types) and pads the last tile of rows. Sums in f32 whatever the types.
// Carry: none. Work: 2 * rows * inputs * outputs FLOP; bound by arithmetic.

#include <cstdint>

#include "kernels/common.hpp"
#include "ssmgen/dtype.hpp"

namespace ssmgen::kernels {

enum class Activation : std::uint8_t { none, softplus };

/// What a product is made for; the weight is copied and packed once.
struct ProductSpec {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  Dtype in = Dtype::f32;   ///< type of `in`; the weight is rounded to it
  Dtype out = Dtype::f32;  ///< f32 in writes bf16 through softplus only
  /// softplus: f32 in, no accumulating; bf16 out permits operands of TF32's 10 bits.
  Activation activation = Activation::none;
  const float* weight = nullptr;  ///< host memory, (outputs, inputs)
  const float* bias = nullptr;    ///< host memory, (outputs), may be null
};

/// A packed weight with its pinned algorithm; made by Backend::prepare_product, immutable,
/// usable from many threads at once, must not outlive the back end.
class PreparedProduct {
 public:
  virtual ~PreparedProduct() = default;
};

struct ProductArgs {
  const PreparedProduct* product = nullptr;
  const void* in = nullptr;  ///< of spec.in
  void* out = nullptr;       ///< of spec.out; must not overlap `in`
  std::int64_t rows = 0;
  std::int64_t in_row_stride = 0;   ///< elements, at least inputs
  std::int64_t out_row_stride = 0;  ///< elements, at least outputs
  bool accumulate = false;
};

}  // namespace ssmgen::kernels
