// How many exponentials and multiply-adds a second this machine can do: the floors of the selective
// and of the diagonal scan. The loops keep their arguments in registers, and the exponential is the
// scan's own 2^x, so no scan can be faster.
#include "kernels/cpu/machine_rates.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/machine_rates.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_math.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

/// `rounds` times four vectors of exponentials; returns how many numbers that was. `sink` takes a
/// value that depends on all of them.
std::int64_t exponentials(std::int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  const auto step = hn::Set(d, -1e-7f);
  auto x0 = hn::Iota(d, -3.0f);
  auto x1 = hn::Iota(d, -5.0f);
  auto x2 = hn::Iota(d, -7.0f);
  auto x3 = hn::Iota(d, -9.0f);
  auto sum = hn::Zero(d);
  for (std::int64_t i = 0; i < rounds; ++i) {
    sum =
        hn::Add(sum, hn::Add(hn::Add(exp2(d, x0), exp2(d, x1)), hn::Add(exp2(d, x2), exp2(d, x3))));
    x0 = hn::Add(x0, step);
    x1 = hn::Add(x1, step);
    x2 = hn::Add(x2, step);
    x3 = hn::Add(x3, step);
  }
  *sink = hn::GetLane(hn::SumOfLanes(d, sum));
  return rounds * 4 * static_cast<std::int64_t>(hn::Lanes(d));
}

/// `rounds` times twelve vectors of multiply-adds, enough to hide the time one takes.
std::int64_t multiply_adds(std::int64_t rounds, float* sink) {
  constexpr int chains = 12;
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f);
  const auto addend = hn::Set(d, 1e-3f);
  hn::Vec<decltype(d)> x[chains];
  for (int i = 0; i < chains; ++i) x[i] = hn::Iota(d, static_cast<float>(i));
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < chains; ++i) x[i] = hn::MulAdd(x[i], factor, addend);
  }
  auto sum = hn::Zero(d);
  for (int i = 0; i < chains; ++i) sum = hn::Add(sum, x[i]);
  *sink = hn::GetLane(hn::SumOfLanes(d, sum));
  return rounds * chains * static_cast<std::int64_t>(hn::Lanes(d));
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(exponentials);
HWY_EXPORT(multiply_adds);

/// The best of several rounds of `loop(sink)` on all threads; the loop returns what it counted.
template <class Loop>
double best_rate(ThreadPool& pool, const Loop& loop) {
  using Clock = std::chrono::steady_clock;
  constexpr int repeats = 20;
  double best = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    std::atomic<std::int64_t> count{0};
    std::atomic<float> kept{0};
    const auto start = Clock::now();
    pool.parallel_for(pool.threads(), [&](std::int64_t) {
      float sink = 0;
      count += loop(&sink);
      kept = sink;
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, static_cast<double>(count.load()) / seconds);
  }
  return best;
}

}  // namespace

double measure_exponential_rate(ThreadPool& pool) {
  return best_rate(pool,
                   [](float* sink) { return HWY_DYNAMIC_DISPATCH(exponentials)(200000, sink); });
}

double measure_multiply_add_rate(ThreadPool& pool) {
  return best_rate(pool,
                   [](float* sink) { return HWY_DYNAMIC_DISPATCH(multiply_adds)(200000, sink); });
}

}  // namespace ssmgen::kernels::cpu
#endif
