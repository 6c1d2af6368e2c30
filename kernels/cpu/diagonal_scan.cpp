// The diagonal scan on the CPU (contract: kernels/diagonal_scan.hpp).
//
// Lanes are channels: a vector of them runs its whole sweep by itself, so a result depends neither
// on batch, nor threads, nor on where the sequence was cut. A task is one sequence and one vector
// of channels; its tables (18 vectors a state: 36 KB at 32 states) are copied to one stretch that
// stays in L1 and L2. A group of four positions passes over all states: four outputs in registers,
// the state's two vectors read and written, 20 multiply-adds for 18 loads.
// Two groups' loads are prefetched ahead, since rows lie kilobytes apart.
// Traffic: in once, out once (twice to accumulate).
#include "kernels/cpu/diagonal_scan.hpp"

#include <algorithm>
#include <cstdint>
#include <hwy/aligned_allocator.h>
#include <string>

#include "ssmgen/errors.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/diagonal_scan.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t group = diagonal_scan_group;
constexpr std::int64_t prefetched_groups = 4;
// A state's vectors: its rows of coefficients, then the state, real and imaginary.
constexpr std::int64_t state_vectors = diagonal_scan_rows + 2;

template <class T>
float* state_of(float* states, const DiagonalScanArgs<T>& args, std::int64_t sequence,
                std::int64_t n, std::int64_t part) {
  return states + ((sequence * args.states + n) * 2 + part) * args.channels;
}

template <class T>
void load_tables(const DiagonalScanArgs<T>& args, std::int64_t sequence, std::int64_t channel,
                 std::int64_t count, float* tables) {
  for (std::int64_t n = 0; n < args.states; ++n) {
    float* to = tables + n * state_vectors * lanes;
    for (std::int64_t row = 0; row < diagonal_scan_rows; ++row) {
      const float* from =
          args.coefficients + (n * diagonal_scan_rows + row) * args.channels + channel;
      store_channels(load_channels(from, count), to + row * lanes);
    }
    for (std::int64_t part = 0; part < 2; ++part) {
      float* state = to + (diagonal_scan_rows + part) * lanes;
      if (args.state_in == nullptr) {
        std::fill_n(state, lanes, 0.0f);
      } else {
        const float* from =
            state_of(const_cast<float*>(args.state_in), args, sequence, n, part) + channel;
        store_channels(load_channels(from, count), state);
      }
    }
  }
}

template <class T>
void store_state(const DiagonalScanArgs<T>& args, std::int64_t sequence, std::int64_t channel,
                 std::int64_t count, const float* tables) {
  if (args.state_out == nullptr) return;
  for (std::int64_t n = 0; n < args.states; ++n) {
    for (std::int64_t part = 0; part < 2; ++part) {
      const float* from = tables + (n * state_vectors + diagonal_scan_rows + part) * lanes;
      store_channels(load_channels(from),
                     state_of(args.state_out, args, sequence, n, part) + channel, count);
    }
  }
}

/// Adds what the states give to the four outputs and takes the four inputs into the states.
HWY_INLINE void advance(std::int64_t states, float* HWY_RESTRICT tables,
                        const FloatVector (&u)[group], FloatVector (&y)[group]) {
  const FloatTag d;
  for (std::int64_t n = 0; n < states; ++n) {
    float* HWY_RESTRICT table = tables + n * state_vectors * lanes;
    const auto row = [table, d](std::int64_t i)
                         HWY_ATTR { return hn::LoadU(d, table + i * lanes); };
    const FloatVector re = row(diagonal_scan_rows);
    const FloatVector im = row(diagonal_scan_rows + 1);
    for (int i = 0; i < group; ++i) {
      y[i] = hn::MulAdd(row(out_imaginary + i), im, hn::MulAdd(row(out_real + i), re, y[i]));
    }
    FloatVector add_re =
        hn::NegMulAdd(row(growth_imaginary), im, hn::MulAdd(row(growth_real), re, u[group - 1]));
    FloatVector add_im = hn::MulAdd(row(growth_imaginary), re, hn::Mul(row(growth_real), im));
    for (int j = 0; j < group - 1; ++j) {
      add_re = hn::MulAdd(row(in_real + j), u[j], add_re);
      add_im = hn::MulAdd(row(in_imaginary + j), u[j], add_im);
    }
    hn::StoreU(hn::Add(re, add_re), d, table + diagonal_scan_rows * lanes);
    hn::StoreU(hn::Add(im, add_im), d, table + (diagonal_scan_rows + 1) * lanes);
  }
}

template <class T>
void scan_channels(const DiagonalScanArgs<T>& args, std::int64_t sequence, std::int64_t channel,
                   std::int64_t count) {
  const FloatTag d;
  const auto size = static_cast<std::size_t>(args.states * state_vectors * lanes);
  const auto tables = hwy::AllocateAligned<float>(size);
  load_tables(args, sequence, channel, count, tables.get());
  FloatVector taps[group];
  for (int j = 0; j < group; ++j) {
    taps[j] = load_channels(args.taps + j * args.channels + channel, count);
  }
  const bool left_to_right = args.direction == Direction::left_to_right;
  const std::int64_t groups = (args.length + group - 1) / group;
  const T* in = args.in + sequence * args.length * args.channels + channel;
  T* out = args.out + sequence * args.length * args.channels + channel;
  for (std::int64_t step = 0; step < groups; ++step) {
    const std::int64_t first = (left_to_right ? step : groups - 1 - step) * group;
    const std::int64_t ahead = first + (left_to_right ? 1 : -1) * prefetched_groups * group;
    const auto position = [=](int i) { return first + (left_to_right ? i : group - 1 - i); };
    FloatVector u[group];
    FloatVector y[group];
    for (int i = 0; i < group; ++i) {
      const std::int64_t t = position(i);
      u[i] = t < args.length ? load_channels(in + t * args.channels, count) : hn::Zero(d);
      if (ahead >= 0 && ahead + i < args.length) hwy::Prefetch(in + (ahead + i) * args.channels);
    }
    for (int i = 0; i < group; ++i) {
      y[i] = hn::Mul(taps[0], u[i]);
      for (int j = 0; j < i; ++j) y[i] = hn::MulAdd(taps[i - j], u[j], y[i]);
    }
    advance(args.states, tables.get(), u, y);
    for (int i = 0; i < group; ++i) {
      const std::int64_t t = position(i);
      if (t >= args.length) continue;
      T* to = out + t * args.channels;
      store_channels(args.accumulate ? hn::Add(load_channels(to, count), y[i]) : y[i], to, count);
    }
  }
  store_state(args, sequence, channel, count, tables.get());
}

template <class T>
void scan(ThreadPool& pool, const DiagonalScanArgs<T>& args) {
  const std::int64_t vectors = (args.channels + lanes - 1) / lanes;
  pool.parallel_for(args.batch * vectors, [&args, vectors](std::int64_t task) {
    const std::int64_t channel = task % vectors * lanes;
    scan_channels(args, task / vectors, channel, std::min(lanes, args.channels - channel));
  });
}

void scan_f32(ThreadPool& pool, const DiagonalScanArgs<float>& args) {
  scan(pool, args);
}
void scan_bf16(ThreadPool& pool, const DiagonalScanArgs<bfloat16>& args) {
  scan(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(scan_f32);
HWY_EXPORT(scan_bf16);

}  // namespace

void diagonal_scan(ThreadPool& pool, const DiagonalScanArgs<float>& args) {
  HWY_DYNAMIC_DISPATCH(scan_f32)(pool, args);
}

void diagonal_scan(ThreadPool& pool, const DiagonalScanArgs<bfloat16>& args) {
  HWY_DYNAMIC_DISPATCH(scan_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
