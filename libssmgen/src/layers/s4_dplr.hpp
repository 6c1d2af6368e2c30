#pragma once
// The DPLR form of S4 in f64: a state matrix that is diagonal but for a low rank.

#include <cstdint>
#include <vector>

#include "layers/dense_f64.hpp"
#include "layers/s4_kernel.hpp"

namespace ssmgen::layers {

/// One channel, discrete, as a real model of twice the stored states: real parts, then imaginary
/// parts. x = step . x + input * u, y = reads[direction] . x.
struct DplrModel {
  explicit DplrModel(std::size_t size) : step(size), input(size) {}

  DenseF64 step;
  std::vector<double> input;
  std::vector<std::vector<double>> reads;
};

/// C is recovered from C (I - A^L) where the parameters have that.
/// @throws InvalidArgument when it cannot be.
DplrModel dplr_model(const S4Parameters& parameters, std::int64_t channel);

/// The first `length` values of the kernel, by the generating function at the roots of unity.
std::vector<double> dplr_kernel(const S4Parameters& parameters, const DplrModel& model,
                                std::int64_t direction, std::int64_t channel, std::int64_t length);
/// The same without a model at hand; where `length` is the stored kernel's own, C as stored serves.
std::vector<double> dplr_kernel(const S4Parameters& parameters, std::int64_t direction,
                                std::int64_t channel, std::int64_t length);

/// The parameters with C itself in place of C (I - A^L), such that the model's first L values are
/// those of the kernel the checkpoint was trained with, as close as a model can come. The public
/// implementation raises an e^(-2 pi i / L) that is rounded to f32 to all its powers, so its kernel
/// is some 1e-4 from the generating function's at the true roots. What the rounding changed is
/// added to C by least squares, with a ridge too small to matter but where the states can not tell.
S4Parameters with_recovered_c(S4Parameters parameters);

}  // namespace ssmgen::layers
