// The convolution with a carried state on the CPU (contract: kernels/state_convolution.hpp).
//
// Lanes are channels; a task is one sequence and one vector of channels, so nothing depends on
// batch, threads or where the sequence was cut. Four blocks of 256 positions at a time:
//   inputs     staged in sweep order, zeros where the sequence has ended
//   in_table   what each block adds to the state, 4 states x 4 blocks of sums in registers
//   decay      the chain of the states over the four blocks
//   taps       by FFT: even and odd inputs are the real and imaginary parts of 128 complex values,
//              filled up to 256 with zeros, so a block costs two transforms of 256 points
//   out_table  what the state before each block gives, 4 positions x 4 blocks in registers
// Every sum runs in its table's order whatever stands beside it. The tables are read once for four
// blocks, from L3 where the channels are many; the FFT works in 66 KB of L2.
// Why FFT by hand: a transform with a channel in each lane needs no shuffles, no transposition and
// no library (kernels/README.md has the measurement).
#include "kernels/cpu/state_convolution.hpp"

#include <algorithm>
#include <cstdint>
#include <hwy/aligned_allocator.h>
#include <utility>

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
constexpr int together = 4;  // blocks, and rows of a table, whose sums stand in registers
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
      multiply_table<true>(args_.in_table, work_.inputs, block, work_.added, args_.states);
      for (int k = 0; k < now; ++k) chain(k);
      for (int k = 0; k < now; ++k) {
        convolve(twiddles_, work_.inputs + k * block * lanes, work_.taps, work_.spectrum,
                 work_.outputs + k * block * lanes);
      }
      multiply_table<false>(args_.out_table, work_.before, args_.states, work_.outputs, block);
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
  FloatVector table_vector(const float* table, std::int64_t row) const {
    return load_channels(table + row * args_.channels + channel_, count_);
  }

  void prepare_taps() {
    for (std::int64_t t = 0; t < block; ++t) {
      store_channels(table_vector(args_.taps, t), work_.inputs + t * lanes);
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
      store_channels(table_vector(from, j), work_.before + j * lanes);
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

  /// before[k + 1] = decay . before[k] + added[k]
  void chain(int k) {
    const std::int64_t states = args_.states;
    const float* before = work_.before + k * states * lanes;
    const float* added = work_.added + k * states * lanes;
    float* after = work_.before + (k + 1) * states * lanes;
    for (std::int64_t j = 0; j < states; ++j) {
      FloatVector sum = load_channels(added + j * lanes);
      for (std::int64_t i = 0; i < states; ++i) {
        sum = hn::MulAdd(table_vector(args_.decay, j * states + i),
                         load_channels(before + i * lanes), sum);
      }
      store_channels(sum, after + j * lanes);
    }
  }

  /// For four blocks k: in_table  (`columns`): out[k][c] = sum_r table[r][c] * in[k][r];
  ///                    out_table (`rows`):    out[k][r] += sum_c table[r][c] * in[k][c].
  /// `terms` are summed over, `results` come out.
  template <bool by_columns>
  void multiply_table(const float* table, const float* in, std::int64_t terms, float* out,
                      std::int64_t results) const {
    const FloatTag d;
    for (std::int64_t first = 0; first < results; first += together) {
      const auto rows = static_cast<int>(std::min<std::int64_t>(together, results - first));
      FloatVector sum[together][together];
      for (int r = 0; r < together; ++r) {
        for (int k = 0; k < together; ++k) {
          sum[r][k] = by_columns || r >= rows
                          ? hn::Zero(d)
                          : load_channels(out + (k * results + first + r) * lanes);
        }
      }
      for (std::int64_t i = 0; i < terms; ++i) {
        FloatVector value[together];
        for (int k = 0; k < together; ++k) value[k] = load_channels(in + (k * terms + i) * lanes);
        for (int r = 0; r < together; ++r) {
          // A row past the last is read again and dropped, so that the loop has no branch.
          const std::int64_t result = first + std::min(r, rows - 1);
          const FloatVector factor =
              table_vector(table, by_columns ? i * results + result : result * terms + i);
          for (int k = 0; k < together; ++k) sum[r][k] = hn::MulAdd(factor, value[k], sum[r][k]);
        }
      }
      for (int r = 0; r < rows; ++r) {
        for (int k = 0; k < together; ++k) {
          store_channels(sum[r][k], out + (k * results + first + r) * lanes);
        }
      }
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
