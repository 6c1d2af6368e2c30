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
constexpr std::int64_t block_length = 64;
constexpr std::int64_t states_together = 16;
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

// One block of positions of one vector of channels, in sweep order.
struct Stage {
  alignas(64) float u[block_length * lanes];
  alignas(64) float y[block_length * lanes];
};

/// Adds what the states give to four outputs and takes four inputs into the states.
HWY_INLINE void advance(std::int64_t states, float* HWY_RESTRICT tables,
                        const float* HWY_RESTRICT inputs, float* HWY_RESTRICT outputs) {
  const FloatTag d;
  FloatVector u[group];
  FloatVector y[group];
  for (int i = 0; i < group; ++i) {
    u[i] = hn::LoadU(d, inputs + i * lanes);
    y[i] = hn::LoadU(d, outputs + i * lanes);
  }
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
  for (int i = 0; i < group; ++i) hn::StoreU(y[i], d, outputs + i * lanes);
}

/// Of one sequence and vector of channels.
template <class T>
class Sweep {
 public:
  Sweep(const DiagonalScanArgs<T>& args, std::int64_t sequence, std::int64_t channel)
      : args_(args),
        in_(args.in + sequence * args.length * args.channels + channel),
        out_(args.out + sequence * args.length * args.channels + channel),
        sequence_(sequence),
        channel_(channel),
        count_(std::min(lanes, args.channels - channel)),
        left_to_right_(args.direction == Direction::left_to_right),
        tables_(hwy::AllocateAligned<float>(
            static_cast<std::size_t>(args.states * state_vectors * lanes))) {}

  void run() {
    load_tables(args_, sequence_, channel_, count_, tables_.get());
    // Groups are counted from position 0, so a sweep to the left begins with the cut one.
    const std::int64_t slots = (args_.length + group - 1) / group * group;
    for (std::int64_t begin = 0; begin < slots; begin += block_length) {
      const std::int64_t positions = std::min(block_length, slots - begin);
      stage_inputs(slots, begin, positions);
      for (std::int64_t n = 0; n < args_.states; n += states_together) {
        const std::int64_t states = std::min(states_together, args_.states - n);
        for (std::int64_t i = 0; i < positions; i += group) {
          advance(states, tables_.get() + n * state_vectors * lanes, stage_.u + i * lanes,
                  stage_.y + i * lanes);
        }
      }
      store_outputs(slots, begin, positions);
    }
    store_state(args_, sequence_, channel_, count_, tables_.get());
  }

 private:
  std::int64_t position(std::int64_t slots, std::int64_t slot) const {
    return left_to_right_ ? slot : slots - 1 - slot;
  }

  void stage_inputs(std::int64_t slots, std::int64_t begin, std::int64_t positions) {
    const FloatTag d;
    FloatVector taps[group];
    for (int j = 0; j < group; ++j) {
      taps[j] = load_channels(args_.taps + j * args_.channels + channel_, count_);
    }
    for (std::int64_t i = 0; i < positions; i += group) {
      FloatVector u[group];
      for (int k = 0; k < group; ++k) {
        const std::int64_t t = position(slots, begin + i + k);
        u[k] = t < args_.length ? load_channels(in_ + t * args_.channels, count_) : hn::Zero(d);
        const std::int64_t ahead = begin + i + k + block_length;
        const std::int64_t next = position(slots, ahead);
        if (ahead < slots && next < args_.length) hwy::Prefetch(in_ + next * args_.channels);
        FloatVector y = hn::Mul(taps[0], u[k]);
        for (int j = 0; j < k; ++j) y = hn::MulAdd(taps[k - j], u[j], y);
        hn::StoreU(u[k], d, stage_.u + (i + k) * lanes);
        hn::StoreU(y, d, stage_.y + (i + k) * lanes);
      }
    }
  }

  void store_outputs(std::int64_t slots, std::int64_t begin, std::int64_t positions) {
    const FloatTag d;
    for (std::int64_t i = 0; i < positions; ++i) {
      const std::int64_t t = position(slots, begin + i);
      if (t >= args_.length) continue;
      T* to = out_ + t * args_.channels;
      const FloatVector y = hn::LoadU(d, stage_.y + i * lanes);
      store_channels(args_.accumulate ? hn::Add(load_channels(to, count_), y) : y, to, count_);
    }
  }

  const DiagonalScanArgs<T>& args_;
  const T* in_;
  T* out_;
  std::int64_t sequence_;
  std::int64_t channel_;
  std::int64_t count_;
  bool left_to_right_;
  hwy::AlignedFreeUniquePtr<float[]> tables_;
  Stage stage_;
};

template <class T>
void scan(ThreadPool& pool, const DiagonalScanArgs<T>& args) {
  const std::int64_t vectors = (args.channels + lanes - 1) / lanes;
  pool.parallel_for(args.batch * vectors, [&args, vectors](std::int64_t task) {
    const std::int64_t channel = task % vectors * lanes;
    Sweep<T>(args, task / vectors, channel).run();
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
