#pragma once
// A block of Caduceus (Schiff et al. 2024) and, with one direction, of Mamba: pre-norm, then the
// mixer swept one way (`first`) and, when bidirectional, the other way (`second`), the two joined
// by a sum or a product.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "layers/norm.hpp"
#include "layers/selective_sweep.hpp"

namespace ssmgen::layers {

enum class Join : std::uint8_t { add, multiply };

/// Host values of a mixer's two projections.
struct ProjectionWeights {
  std::vector<float> in_proj;   ///< (2*d_inner, d_model)
  std::vector<float> in_bias;   ///< (2*d_inner) or empty
  std::vector<float> out_proj;  ///< (d_model, d_inner)
  std::vector<float> out_bias;  ///< (d_model) or empty
};

struct BiMambaBlockWeights {
  NormWeights norm;
  SweepWeights first;
  ProjectionWeights first_projection;
  std::optional<SweepWeights> second;                  ///< absent: one direction
  std::optional<ProjectionWeights> second_projection;  ///< absent: tied to the first's
  Join join = Join::add;
};

/// Which of a block's two sweeps.
enum class Pass : std::uint8_t { first, second };

/// Immutable device weights of one block. The steps are apart so that whoever streams a sequence
/// can run them chunk by chunk.
class BiMambaBlock {
 public:
  BiMambaBlock(kernels::Backend& backend, const MambaSizes& sizes, Dtype dtype,
               const BiMambaBlockWeights& weights);

  bool is_bidirectional() const noexcept { return sweeps_[1] != nullptr; }
  /// One in_proj serves both sweeps, so its x may be kept from the first to the second.
  bool shares_in_proj() const noexcept { return x_in_proj_[1] == nullptr; }
  /// The sweeps may be summed before one gate and one out_proj, since both are linear.
  bool sums_sweeps() const noexcept {
    return is_bidirectional() && out_proj_[1] == nullptr && join_ == Join::add;
  }
  const MambaSizes& sizes() const noexcept { return sizes_; }
  const Norm& norm() const noexcept { return norm_; }

  /// normed (rows, d_model) -> x (rows, d_inner), what a pass sweeps over.
  void project_x(core::Context& ctx, Pass pass, const core::TensorView& normed,
                 const core::TensorView& x) const;
  /// normed (rows, d_model) -> gate (rows, d_inner).
  void project_gate(core::Context& ctx, Pass pass, const core::TensorView& normed,
                    const core::TensorView& gate) const;

  /// x, gate (batch, length, d_inner) -> mixed, the same; `sweep` as of this pass. Where
  /// sums_sweeps(), the first pass has no gate and the second accumulates, then gates the sum.
  void sweep(core::Context& ctx, Pass pass, const ops::Sweep& sweep, const core::TensorView& x,
             const core::TensorView& gate, const MambaCarry* carry_in, const MambaCarry* carry_out,
             const core::TensorView& mixed, bool accumulate) const;

  /// A pass's sweep, for who runs its two parts apart.
  const SelectiveSweep& pass(Pass pass) const noexcept;

  /// The block's output (rows, d_model) from what the sweeps gave (rows, d_inner each); `second`
  /// is absent for one direction and where sums_sweeps(): then `first` holds all of it.
  void join(core::Context& ctx, const core::TensorView& first, const core::TensorView& second,
            const core::TensorView& hidden) const;

 private:
  MambaSizes sizes_;
  Join join_;
  Norm norm_;
  std::array<std::unique_ptr<SelectiveSweep>, 2> sweeps_;
  std::array<std::unique_ptr<kernels::PreparedProduct>, 2> x_in_proj_;
  std::array<std::unique_ptr<kernels::PreparedProduct>, 2> gate_in_proj_;
  std::array<std::unique_ptr<kernels::PreparedProduct>, 2> out_proj_;
};

}  // namespace ssmgen::layers
