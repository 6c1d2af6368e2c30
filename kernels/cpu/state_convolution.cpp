// The convolution with a carried state on the CPU (contract: kernels/state_convolution.hpp).
//
// Lanes are channels; a task is one sequence and one vector of channels, so nothing depends on
// batch, threads or where the sequence was cut. Eight blocks of 256 positions at a time:
//   inputs     staged in sweep order, zeros where the sequence has ended
//   in_table   what each block adds to the state, 2 states x 8 blocks of sums in registers, 32
//              inputs of each block at a time, which stay in L1
//   decay      the chain of the states over the eight blocks
//   taps       by FFT: even and odd inputs are the real and imaginary parts of 128 complex values,
//              filled up to 256 with zeros, so a block costs two transforms of 256 points
//   out_table  what the state before each block gives, 2 positions x 8 blocks in registers
// Every sum runs in its table's order whatever stands beside it. The tables (2 MB a vector of 16
// channels at 64 states) pass by once for eight blocks; the FFT works in 66 KB of L2.
// Why FFT by hand: a transform with a channel in each lane needs no shuffles, no transposition and
// no library (kernels/README.md has the measurement).
#include "kernels/cpu/state_convolution.hpp"

#include <algorithm>
#include <cstdint>
#include <hwy/aligned_allocator.h>
#include <type_traits>

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/state_convolution.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_fft.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t block = convolution_block;
constexpr std::int64_t half = block / 2;
constexpr int together = 8;         // blocks whose sums stand in registers
constexpr int table_rows = 2;       // results of each block that do
constexpr int chained = 8;          // states of the chain at a time
constexpr std::int64_t slice = 32;  // inputs of each block that stay in L1
static_assert(convolution_panel % lanes == 0);
static_assert(fft_points == block);

// Memory of a task, all in vectors of channels.
struct Workspace {
  explicit Workspace(std::int64_t states)
      : memory(hwy::AllocateAligned<float>(static_cast<std::size_t>(
            (2 * together * block + 2 * fft_points + 4 * (half + 1) + (2 * together + 1) * states) *
            lanes))),
        inputs(memory.get()),
        outputs(inputs + together * block * lanes),
        spectrum(outputs + together * block * lanes),
        taps(spectrum + 2 * fft_points * lanes),
        added(taps + 4 * (half + 1) * lanes),
        before(added + together * states * lanes) {}

  hwy::AlignedFreeUniquePtr<float[]> memory;
  float* inputs;    // (together, block), in sweep order
  float* outputs;   // the same
  float* spectrum;  // (fft_points) complex
  float* taps;      // (half + 1): spectra of the even and of the odd taps, complex
  float* added;     // (together, states): what a block adds to the state
  float* before;    // (together + 1, states): the state before each block, and after the last
};

HWY_INLINE ComplexVector conjugate(const ComplexVector& a) {
  return {a.re, hn::Neg(a.im)};
}
HWY_INLINE ComplexVector scaled(const ComplexVector& a, float factor) {
  const FloatTag d;
  return {hn::Mul(a.re, hn::Set(d, factor)), hn::Mul(a.im, hn::Set(d, factor))};
}

/// The spectra at frequency k of two real sequences that were transformed as one complex one.
struct EvenOdd {
  ComplexVector even;
  ComplexVector odd;
};
HWY_INLINE EvenOdd split(const float* spectrum, int k, float factor) {
  const ComplexVector z = load_complex(spectrum + fft_place(k) * 2 * lanes);
  const ComplexVector mirrored =
      conjugate(load_complex(spectrum + fft_place((fft_points - k) % fft_points) * 2 * lanes));
  const ComplexVector difference = subtract(z, mirrored);
  return {scaled(add(z, mirrored), factor),
          scaled(ComplexVector{difference.im, hn::Neg(difference.re)}, factor)};
}

/// `values` (block vectors) as even + i odd, filled up with zeros, transformed.
void transform(const FftTwiddles& twiddles, const float* values, float* spectrum) {
  // Position 2m and 2m + 1 stand side by side, as real and imaginary parts do.
  std::copy_n(values, block * lanes, spectrum);
  std::fill_n(spectrum + block * lanes, block * lanes, 0.0f);
  fft_forward(twiddles, spectrum);
}

/// Convolves a block with the taps; `outputs` is (block) vectors.
void convolve(const FftTwiddles& twiddles, const float* inputs, const float* taps, float* spectrum,
              float* outputs) {
  transform(twiddles, inputs, spectrum);
  for (int k = 0; k <= half; ++k) {
    const EvenOdd u = split(spectrum, k, 0.5f);
    const ComplexVector tap_even = load_complex(taps + k * 4 * lanes);
    const ComplexVector tap_odd = load_complex(taps + k * 4 * lanes + 2 * lanes);
    // An odd tap moves an odd input to an even output, one pair later.
    const ComplexVector even = add(multiply(tap_even, u.even),
                                   multiply(multiply(tap_odd, u.odd), twiddle(twiddles, k, false)));
    const ComplexVector odd = add(multiply(tap_odd, u.even), multiply(tap_even, u.odd));
    const ComplexVector turned = turn(odd);
    store_complex(add(even, turned), spectrum + fft_place(k) * 2 * lanes);
    store_complex(conjugate(subtract(even, turned)),
                  spectrum + fft_place((fft_points - k) % fft_points) * 2 * lanes);
  }
  fft_backward(twiddles, spectrum);
  std::copy_n(spectrum, block * lanes, outputs);
}

template <class T>
class Task {
 public:
  Task(const StateConvolutionArgs<T>& args, const FftTwiddles& twiddles, std::int64_t sequence,
       std::int64_t channel)
      : args_(args),
        twiddles_(twiddles),
        sequence_(sequence),
        channel_(channel),
        count_(std::min(lanes, args.channels - channel)),
        left_to_right_(args.direction == Direction::left_to_right),
        work_(args.states) {}

  void run() {
    prepare_taps();
    load_state();
    const std::int64_t blocks = (args_.length + block - 1) / block;
    for (std::int64_t step = 0; step < blocks; step += together) {
      const auto now = static_cast<int>(std::min<std::int64_t>(together, blocks - step));
      for (int k = 0; k < now; ++k) load_inputs(block_at(blocks, step + k), k);
      std::fill_n(work_.added, together * args_.states * lanes, 0.0f);
      for (std::int64_t begin = 0; begin < block; begin += slice) add_slice(begin);
      for (int k = 0; k < now; ++k) chain(k);
      for (int k = 0; k < now; ++k) {
        convolve(twiddles_, work_.inputs + k * block * lanes, work_.taps, work_.spectrum,
                 work_.outputs + k * block * lanes);
      }
      add_states();
      for (int k = 0; k < now; ++k) store_outputs(block_at(blocks, step + k), k);
      std::copy_n(work_.before + now * args_.states * lanes, args_.states * lanes, work_.before);
    }
    store_state();
  }

 private:
  std::int64_t block_at(std::int64_t blocks, std::int64_t step) const {
    return left_to_right_ ? step : blocks - 1 - step;
  }
  std::int64_t position(std::int64_t index, std::int64_t slot) const {
    return index * block + (left_to_right_ ? slot : block - 1 - slot);
  }
  FloatVector channels_of(const float* values, std::int64_t row) const {
    return load_channels(values + row * args_.channels + channel_, count_);
  }
  /// This vector's place in a table of panels; its rows lie convolution_panel apart.
  const float* panel(const float* table, std::int64_t rows) const {
    return table + convolution_element(rows, 0, channel_);
  }

  void prepare_taps() {
    for (std::int64_t t = 0; t < block; ++t) {
      store_channels(channels_of(args_.taps, t), work_.inputs + t * lanes);
    }
    transform(twiddles_, work_.inputs, work_.spectrum);
    constexpr float factor = 0.5f / fft_points;  // the backward transform's scale too
    for (int k = 0; k <= half; ++k) {
      const EvenOdd taps = split(work_.spectrum, k, factor);
      store_complex(taps.even, work_.taps + k * 4 * lanes);
      store_complex(taps.odd, work_.taps + k * 4 * lanes + 2 * lanes);
    }
  }

  void load_state() {
    const std::int64_t states = args_.states;
    std::fill_n(work_.before, (together + 1) * states * lanes, 0.0f);
    std::fill_n(work_.inputs, together * block * lanes, 0.0f);
    if (args_.state_in == nullptr) return;
    const float* from = args_.state_in + sequence_ * states * args_.channels;
    for (std::int64_t j = 0; j < states; ++j) {
      store_channels(channels_of(from, j), work_.before + j * lanes);
    }
  }

  void store_state() const {
    if (args_.state_out == nullptr) return;
    float* to = args_.state_out + sequence_ * args_.states * args_.channels + channel_;
    for (std::int64_t j = 0; j < args_.states; ++j) {
      store_channels(load_channels(work_.before + j * lanes), to + j * args_.channels, count_);
    }
  }

  void load_inputs(std::int64_t index, int k) {
    const FloatTag d;
    const T* in = args_.in + sequence_ * args_.length * args_.channels + channel_;
    float* to = work_.inputs + k * block * lanes;
    for (std::int64_t slot = 0; slot < block; ++slot) {
      const std::int64_t t = position(index, slot);
      const FloatVector value =
          t < args_.length ? load_channels(in + t * args_.channels, count_) : hn::Zero(d);
      store_channels(value, to + slot * lanes);
    }
  }

  void store_outputs(std::int64_t index, int k) const {
    T* out = args_.out + sequence_ * args_.length * args_.channels + channel_;
    const float* from = work_.outputs + k * block * lanes;
    for (std::int64_t slot = 0; slot < block; ++slot) {
      const std::int64_t t = position(index, slot);
      if (t >= args_.length) continue;
      T* to = out + t * args_.channels;
      const FloatVector value = load_channels(from + slot * lanes);
      store_channels(args_.accumulate ? hn::Add(load_channels(to, count_), value) : value, to,
                     count_);
    }
  }

  /// before[k + 1] = decay . before[k] + added[k]; a few states at a time, for one alone would wait
  /// for each of its multiply-adds.
  void chain(int k) const {
    const std::int64_t states = args_.states;
    const float* before = work_.before + k * states * lanes;
    const float* added = work_.added + k * states * lanes;
    float* after = work_.before + (k + 1) * states * lanes;
    std::int64_t j = 0;
    for (; j + chained <= states; j += chained) chain_rows<chained>(j, before, added, after);
    for (; j < states; ++j) chain_rows<1>(j, before, added, after);
  }

  template <int rows>
  void chain_rows(std::int64_t first, const float* before, const float* added, float* after) const {
    const std::int64_t states = args_.states;
    const float* decay = panel(args_.decay, states * states) + first * states * convolution_panel;
    FloatVector sum[rows];
    for (int r = 0; r < rows; ++r) sum[r] = load_channels(added + (first + r) * lanes);
    for (std::int64_t i = 0; i < states; ++i) {
      const FloatVector x = load_channels(before + i * lanes);
      for (int r = 0; r < rows; ++r) {
        sum[r] = hn::MulAdd(load_channels(decay + (r * states + i) * convolution_panel), x, sum[r]);
      }
    }
    for (int r = 0; r < rows; ++r) store_channels(sum[r], after + (first + r) * lanes);
  }

  /// to[k][r] += sum over i < terms of table[r * row_stride + i * term_stride] * in[k][i] for eight
  /// blocks k and `rows` results r; strides of blocks and table in vectors and rows.
  template <int rows>
  static void add_products(const float* table, std::int64_t row_stride, std::int64_t term_stride,
                           const float* in, std::int64_t in_stride, std::int64_t terms, float* to,
                           std::int64_t to_stride) {
    FloatVector sum[rows][together];
    for (int r = 0; r < rows; ++r) {
      for (int k = 0; k < together; ++k) {
        sum[r][k] = load_channels(to + (k * to_stride + r) * lanes);
      }
    }
    for (std::int64_t i = 0; i < terms; ++i) {
      FloatVector factor[rows];
      for (int r = 0; r < rows; ++r) {
        factor[r] = load_channels(table + (r * row_stride + i * term_stride) * convolution_panel);
      }
      for (int k = 0; k < together; ++k) {
        const FloatVector value = load_channels(in + (k * in_stride + i) * lanes);
        for (int r = 0; r < rows; ++r) sum[r][k] = hn::MulAdd(factor[r], value, sum[r][k]);
      }
    }
    for (int r = 0; r < rows; ++r) {
      for (int k = 0; k < together; ++k) {
        store_channels(sum[r][k], to + (k * to_stride + r) * lanes);
      }
    }
  }

  /// added[k][j] += sum of in_table[s][j] * input[k][s] over a slice of s.
  void add_slice(std::int64_t begin) const {
    const std::int64_t states = args_.states;
    const float* table = panel(args_.in_table, block * states) + begin * states * convolution_panel;
    const float* in = work_.inputs + begin * lanes;
    const auto add = [&](auto rows, std::int64_t j) {
      add_products<rows()>(table + j * convolution_panel, 1, states, in, block, slice,
                           work_.added + j * lanes, states);
    };
    std::int64_t j = 0;
    for (; j + table_rows <= states; j += table_rows) {
      add(std::integral_constant<int, table_rows>(), j);
    }
    for (; j < states; ++j) add(std::integral_constant<int, 1>(), j);
  }

  /// output[k][t] += sum over j of out_table[t][j] * before[k][j].
  void add_states() const {
    const std::int64_t states = args_.states;
    const float* table = panel(args_.out_table, block * states);
    for (std::int64_t t = 0; t < block; t += table_rows) {
      add_products<table_rows>(table + t * states * convolution_panel, states, 1, work_.before,
                               states, states, work_.outputs + t * lanes, block);
    }
  }

  const StateConvolutionArgs<T>& args_;
  const FftTwiddles& twiddles_;
  std::int64_t sequence_;
  std::int64_t channel_;
  std::int64_t count_;
  bool left_to_right_;
  Workspace work_;
};

template <class T>
void run(ThreadPool& pool, const StateConvolutionArgs<T>& args) {
  const FftTwiddles twiddles;
  const std::int64_t vectors = (args.channels + lanes - 1) / lanes;
  pool.parallel_for(args.batch * vectors, [&args, &twiddles, vectors](std::int64_t task) {
    Task<T>(args, twiddles, task / vectors, task % vectors * lanes).run();
  });
}

void run_f32(ThreadPool& pool, const StateConvolutionArgs<float>& args) {
  run(pool, args);
}
void run_bf16(ThreadPool& pool, const StateConvolutionArgs<bfloat16>& args) {
  run(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(run_f32);
HWY_EXPORT(run_bf16);

}  // namespace

void state_convolution(ThreadPool& pool, const StateConvolutionArgs<float>& args) {
  HWY_DYNAMIC_DISPATCH(run_f32)(pool, args);
}

void state_convolution(ThreadPool& pool, const StateConvolutionArgs<bfloat16>& args) {
  HWY_DYNAMIC_DISPATCH(run_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
