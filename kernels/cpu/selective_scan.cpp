// The selective scan on the CPU.
//   h[n]   = 2^(delta * A[n] * log2 e) * h[n] + delta * x * B[n]
//   out    = (sum_n C[n] * h[n] + D * x (+ out)) * SiLU(gate)
//
// Lanes are channels: a vector of them runs its whole sweep by itself, so a result depends neither
// on batch, nor threads, nor on where the sequence was cut. A task is one sequence and up to four
// vectors of channels, so that what it reads of a row is several whole cache lines.
// A sweep goes in blocks of 64 positions. A block is first staged for one vector of channels into
// buffers that stay in L1 (16 KB): delta, delta * x, y = D * x and SiLU(gate); the loops
// over positions are then free of strides, types, cut vectors and all maths but the recurrence.
// Four states at a time run over the block, h and A in registers, y added to in its buffer; B and C
// are broadcast from memory. The rows of the next block are prefetched during these loops, a line a
// position. A is multiplied by log2 e once a sweep. Of the 12 instructions of a state and position
// 8 are the exponential; 9 are multiplies and multiply-adds, of which a core starts two a cycle,
// so 4.5 cycles a vector of states bound the loop. Traffic: x, gate, delta once, out once (twice to
// accumulate), B and C once a vector of channels.

#include "kernels/cpu/selective_scan.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "ssmgen/errors.hpp"

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/selective_scan.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t block_length = 64;
constexpr std::int64_t max_vectors_per_task = 4;
constexpr std::int64_t max_states = 256;

// One block of positions of one vector of channels, in sweep order.
struct Stage {
  alignas(64) float delta[block_length * lanes];
  alignas(64) float delta_x[block_length * lanes];
  alignas(64) float y[block_length * lanes];
  alignas(64) float gate[block_length * lanes];
};

// Addresses to prefetch, one a position for as many streams of rows as a call has.
struct PrefetchList {
  const void* line[4 * block_length];
  std::int64_t count;
};

// What a vector of channels keeps over its sweep.
struct VectorState {
  alignas(64) float decay[max_states * lanes];  // A * log2 e
  alignas(64) float h[max_states * lanes];
};

// The rows of one sequence in sweep order: row s is position first + s * step.
struct SweepRows {
  std::int64_t sequence;
  std::int64_t first;
  std::int64_t step;

  std::int64_t position(std::int64_t s) const { return first + s * step; }
};

template <class T>
SweepRows sweep_rows(const SelectiveScanArgs<T>& args, std::int64_t sequence) {
  const Direction direction =
      sequence < args.opposite_from ? args.direction : opposite(args.direction);
  const bool left_to_right = direction == Direction::left_to_right;
  return {sequence, left_to_right ? 0 : args.length - 1, left_to_right ? 1 : -1};
}

template <class T>
void load_state(const SelectiveScanArgs<T>& args, std::int64_t sequence, std::int64_t channel,
                std::int64_t count, VectorState& state) {
  const std::int64_t states = args.states;
  std::fill_n(state.decay, states * lanes, 0.0f);
  std::fill_n(state.h, states * lanes, 0.0f);
  for (std::int64_t lane = 0; lane < count; ++lane) {
    const float* a = args.a + (channel + lane) * states;
    for (std::int64_t n = 0; n < states; ++n) state.decay[n * lanes + lane] = a[n] * 1.442695041f;
    if (args.state_in == nullptr) continue;
    const float* in = args.state_in + (sequence * args.channels + channel + lane) * states;
    for (std::int64_t n = 0; n < states; ++n) state.h[n * lanes + lane] = in[n];
  }
}

template <class T>
void store_state(const SelectiveScanArgs<T>& args, std::int64_t sequence, std::int64_t channel,
                 std::int64_t count, const VectorState& state) {
  if (args.state_out == nullptr) return;
  for (std::int64_t lane = 0; lane < count; ++lane) {
    float* out = args.state_out + (sequence * args.channels + channel + lane) * args.states;
    for (std::int64_t n = 0; n < args.states; ++n) out[n] = state.h[n * lanes + lane];
  }
}

// Rows lie kilobytes apart, where no hardware prefetcher follows, but the vectors of a task lie
// side by side: vector v of the task fetches the v-th part of the next block's rows, each in one
// stretch.
template <class T>
void list_next_block(const SelectiveScanArgs<T>& args, const SweepRows& rows, std::int64_t next,
                     std::int64_t first, std::int64_t v, std::int64_t vectors, PrefetchList& list) {
  list.count = 0;
  if (next >= args.length) return;
  const T* x = args.x + rows.sequence * args.x_batch_stride + first;
  const T* delta = args.delta + rows.sequence * args.length * args.channels + first;
  const T* out = args.out + rows.sequence * args.length * args.channels + first;
  const T* gate =
      args.gate == nullptr ? nullptr : args.gate + rows.sequence * args.gate_batch_stride + first;
  std::int64_t step = next + v * block_length / vectors;
  std::int64_t vector = v * block_length % vectors;
  const void** line = list.line;
  for (std::int64_t i = 0; i < block_length; ++i) {
    const std::int64_t row = rows.position(std::min(step, args.length - 1));
    const std::int64_t channel = vector * lanes;
    *line++ = x + row * args.x_row_stride + channel;
    *line++ = delta + row * args.channels + channel;
    *line++ = out + row * args.channels + channel;
    if (gate != nullptr) *line++ = gate + row * args.gate_row_stride + channel;
    if (++vector < vectors) continue;
    vector = 0;
    ++step;
  }
  list.count = line - list.line;
}

template <class T>
void stage_block(const SelectiveScanArgs<T>& args, const SweepRows& rows, std::int64_t begin,
                 std::int64_t positions, std::int64_t channel, std::int64_t count, Stage& stage) {
  const FloatTag d;
  const T* x_rows = args.x + rows.sequence * args.x_batch_stride + channel;
  const std::int64_t dense = rows.sequence * args.length * args.channels + channel;
  const T* delta_rows = args.delta + dense;
  const FloatVector skip = args.d == nullptr ? hn::Zero(d) : load_channels(args.d + channel, count);
  for (std::int64_t s = 0; s < positions; ++s) {
    const std::int64_t position = rows.position(begin + s);
    const FloatVector x = load_channels(x_rows + position * args.x_row_stride, count);
    const FloatVector delta = load_channels(delta_rows + position * args.channels, count);
    hn::Store(delta, d, stage.delta + s * lanes);
    hn::Store(hn::Mul(delta, x), d, stage.delta_x + s * lanes);
    hn::Store(hn::Mul(skip, x), d, stage.y + s * lanes);
  }
  if (args.gate == nullptr) return;
  const T* gate_rows = args.gate + rows.sequence * args.gate_batch_stride + channel;
  for (std::int64_t s = 0; s < positions; ++s) {
    const std::int64_t position = rows.position(begin + s);
    const FloatVector gate = load_channels(gate_rows + position * args.gate_row_stride, count);
    hn::Store(silu(d, gate), d, stage.gate + s * lanes);
  }
}

// Runs `group` states over a staged block. b and c point at the first of them at the block's first
// position; bc_step leads to the next position of the sweep. The lines are prefetched, one a
// position, no faster than memory gives them.
template <int group>
void advance_states(Stage& stage, std::int64_t positions, float* decay_of, float* h_of,
                    const float* b, const float* c, std::int64_t bc_step, const void* const* lines,
                    std::int64_t line_count) {
  const FloatTag d;
  FloatVector decay[group];
  FloatVector h[group];
  for (int n = 0; n < group; ++n) {
    decay[n] = hn::Load(d, decay_of + n * lanes);
    h[n] = hn::Load(d, h_of + n * lanes);
  }
  for (std::int64_t s = 0; s < positions; ++s) {
    const FloatVector delta = hn::Load(d, stage.delta + s * lanes);
    const FloatVector delta_x = hn::Load(d, stage.delta_x + s * lanes);
    FloatVector y = hn::Load(d, stage.y + s * lanes);
    for (int n = 0; n < group; ++n) {
      const FloatVector kept = exp2(d, hn::Mul(delta, decay[n]));
      h[n] = hn::MulAdd(kept, h[n], hn::Mul(delta_x, hn::Set(d, b[n])));
      y = hn::MulAdd(hn::Set(d, c[n]), h[n], y);
    }
    hn::Store(y, d, stage.y + s * lanes);
    b += bc_step;
    c += bc_step;
    if (s < line_count) hwy::Prefetch(lines[s]);
  }
  for (int n = 0; n < group; ++n) hn::Store(h[n], d, h_of + n * lanes);
}

template <class T>
void advance_all_states(const SelectiveScanArgs<T>& args, const SweepRows& rows, std::int64_t begin,
                        std::int64_t positions, const PrefetchList& prefetches, Stage& stage,
                        VectorState& state) {
  const std::int64_t row =
      rows.sequence * args.bc_batch_stride + rows.position(begin) * args.bc_row_stride;
  const float* b = args.b + row;
  const float* c = args.c + row;
  const std::int64_t step = rows.step * args.bc_row_stride;
  std::int64_t n = 0;
  std::int64_t fetched = 0;
  const auto advance = [&]<int group>() HWY_ATTR {
    for (; n + group <= args.states; n += group) {
      const std::int64_t lines = std::min(positions, prefetches.count - fetched);
      advance_states<group>(stage, positions, state.decay + n * lanes, state.h + n * lanes, b + n,
                            c + n, step, prefetches.line + fetched, lines);
      fetched += lines;
    }
  };
  advance.template operator()<4>();
  advance.template operator()<1>();
  // Few states leave some over.
  for (; fetched < prefetches.count; ++fetched) hwy::Prefetch(prefetches.line[fetched]);
}

template <class T>
void store_block(const SelectiveScanArgs<T>& args, const SweepRows& rows, std::int64_t begin,
                 std::int64_t positions, std::int64_t channel, std::int64_t count,
                 const Stage& stage) {
  const FloatTag d;
  T* out_rows = args.out + rows.sequence * args.length * args.channels + channel;
  for (std::int64_t s = 0; s < positions; ++s) {
    T* out = out_rows + rows.position(begin + s) * args.channels;
    FloatVector y = hn::Load(d, stage.y + s * lanes);
    if (args.accumulate) y = hn::Add(load_channels(out, count), rounded_to<T>(y));
    if (args.gate != nullptr) y = hn::Mul(y, hn::Load(d, stage.gate + s * lanes));
    store_channels(y, out, count);
  }
}

template <class T>
void scan_channels(const SelectiveScanArgs<T>& args, std::int64_t sequence, std::int64_t first,
                   std::int64_t end) {
  const SweepRows rows = sweep_rows(args, sequence);
  const std::int64_t vectors = std::min(max_vectors_per_task, (end - first + lanes - 1) / lanes);
  const auto channels_of = [=](std::int64_t v) { return std::min(lanes, end - first - v * lanes); };
  Stage stage;
  PrefetchList prefetches;
  VectorState states[max_vectors_per_task];
  for (std::int64_t v = 0; v < vectors; ++v) {
    load_state(args, sequence, first + v * lanes, channels_of(v), states[v]);
  }
  for (std::int64_t begin = 0; begin < args.length; begin += block_length) {
    const std::int64_t positions = std::min(block_length, args.length - begin);
    for (std::int64_t v = 0; v < vectors; ++v) {
      const std::int64_t channel = first + v * lanes;
      list_next_block(args, rows, begin + block_length, first, v, vectors, prefetches);
      stage_block(args, rows, begin, positions, channel, channels_of(v), stage);
      advance_all_states(args, rows, begin, positions, prefetches, stage, states[v]);
      store_block(args, rows, begin, positions, channel, channels_of(v), stage);
    }
  }
  for (std::int64_t v = 0; v < vectors; ++v) {
    store_state(args, sequence, first + v * lanes, channels_of(v), states[v]);
  }
}

template <class T>
void scan(ThreadPool& pool, const SelectiveScanArgs<T>& args) {
  // Fewer vectors a task where the threads would otherwise run out of tasks.
  std::int64_t width = max_vectors_per_task * lanes;
  const auto tasks_of = [&args](std::int64_t channels) {
    return (args.channels + channels - 1) / channels;
  };
  while (width > lanes && args.batch * tasks_of(width) < 2 * pool.threads()) width /= 2;
  const std::int64_t tasks = tasks_of(width);
  pool.parallel_for(args.batch * tasks, [&args, tasks, width](std::int64_t task) {
    const std::int64_t first = task % tasks * width;
    scan_channels(args, task / tasks, first, std::min(first + width, args.channels));
  });
}

void scan_f32(ThreadPool& pool, const SelectiveScanArgs<float>& args) {
  scan(pool, args);
}
void scan_bf16(ThreadPool& pool, const SelectiveScanArgs<bfloat16>& args) {
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

void check_states(std::int64_t states) {
  if (states >= 1 && states <= 256) return;
  throw InvalidArgument("selective_scan: states must be 1 to 256, got " + std::to_string(states) +
                        "; no published checkpoint (d_state in config.json) has more");
}

}  // namespace

void selective_scan(ThreadPool& pool, const SelectiveScanArgs<float>& args) {
  check_states(args.states);
  HWY_DYNAMIC_DISPATCH(scan_f32)(pool, args);
}

void selective_scan(ThreadPool& pool, const SelectiveScanArgs<bfloat16>& args) {
  check_states(args.states);
  HWY_DYNAMIC_DISPATCH(scan_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
