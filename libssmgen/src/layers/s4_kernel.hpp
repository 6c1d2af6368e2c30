#pragma once
// The state space model of an S4 layer in f64: its kernel, and the tables of the two kernels that
// run it. Everything is worked out once, when the layer is made.
// S4: Gu, Goel, Re 2022 (the DPLR form and its generating function, section 3 and appendix C);
// S4D: Gu, Gupta, Goel, Re 2022 (the diagonal form, table 1).

#include <complex>
#include <cstdint>
#include <vector>

namespace ssmgen::layers {

enum class Discretization : std::uint8_t { zoh, bilinear };

/// Host values of one layer's state space model. States are complex, each with its conjugate.
/// x' = A x + B u, y = 2 Re(C x) + D u, with A = diag(a) - sum_r p_r p_r^* where `p` is given.
struct S4Parameters {
  using Complex = std::complex<double>;

  std::int64_t channels = 0;
  std::int64_t states = 0;  ///< stored ones: half of the state's size
  std::int64_t rank = 0;    ///< of the low-rank part; 0 for a diagonal model
  std::int64_t directions = 1;
  Discretization discretization = Discretization::zoh;  ///< with a low-rank part: bilinear
  std::vector<double> dt;                               ///< (channels)
  std::vector<Complex> a;                               ///< (channels, states)
  std::vector<Complex> b;                               ///< (channels, states)
  std::vector<Complex> c;                               ///< (directions, channels, states)
  std::vector<Complex> p;                               ///< (rank, channels, states)
  std::vector<double> d;                                ///< (channels)
  /// With a low-rank part: `c` is C (I - A^L) for this L, of the discrete A; 0: `c` is C itself.
  std::int64_t kernel_length = 0;

  bool is_diagonal() const noexcept { return rank == 0; }
};

/// The response to a single one, without D: (length). Of a diagonal model by powers; of a DPLR
/// model by its generating function at the roots of unity.
/// @throws InvalidArgument for a state matrix from which C cannot be recovered.
std::vector<double> s4_kernel(const S4Parameters& parameters, std::int64_t direction,
                              std::int64_t channel, std::int64_t length);

/// What an output sees: the positions up to its own, with D; or those before its own, without.
enum class Lag : std::uint8_t { from_own, from_next };

/// Tables of kernels/diagonal_scan.hpp.
struct DiagonalTables {
  std::vector<float> coefficients;  ///< (states, 16, channels)
  std::vector<float> taps;          ///< (4, channels)
  std::vector<float> tile_decay;    ///< (states, 2, channels)
};
DiagonalTables diagonal_tables(const S4Parameters& parameters, std::int64_t direction, Lag lag);

/// Tables of kernels/state_convolution.hpp; in_table and decay are the same for all directions.
struct ConvolutionTables {
  struct Side {
    std::vector<float> taps;       ///< (block, channels)
    std::vector<float> out_table;  ///< (panels, block * 2 * states, 16)
  };
  std::vector<Side> directions;
  std::vector<float> in_table;  ///< (panels, block * 2 * states, 16)
  std::vector<float> decay;     ///< (panels, 2 * states * 2 * states, 16)
};
/// The first direction sees its own position, the second those after its own.
ConvolutionTables convolution_tables(const S4Parameters& parameters);

}  // namespace ssmgen::layers
