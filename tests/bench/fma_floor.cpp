#include "fma_floor.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <vector>

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/fma_floor.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::bench::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int chains = 12;  // enough to hide the latency of a multiply-add

/// Does `rounds` times twelve vector multiply-adds and returns how many FLOP that was.
double multiply_add(std::int64_t rounds, float start, float* sink) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f);
  const auto term = hn::Set(d, start);
  hn::Vec<decltype(d)> sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = hn::Set(d, start + static_cast<float>(i));
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (auto& s : sum) s = hn::MulAdd(s, factor, term);
  }
  auto total = hn::Zero(d);
  for (const auto& s : sum) total = hn::Add(total, s);
  *sink = hn::GetLane(hn::SumOfLanes(d, total));
  return static_cast<double>(rounds) * chains * 2 * static_cast<double>(hn::Lanes(d));
}

}  // namespace
}  // namespace ssmgen::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::bench {
namespace {

HWY_EXPORT(multiply_add);

}  // namespace

double fma_flop_per_second(kernels::cpu::ThreadPool& pool) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<double> done(static_cast<std::size_t>(pool.threads()));
    std::vector<float> sinks(done.size());
    const auto start = Clock::now();
    pool.parallel_for(pool.threads(), [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      done[at] = HWY_DYNAMIC_DISPATCH(multiply_add)(200000, 0.001f, &sinks[at]);
    });
    const std::chrono::duration<double> taken = Clock::now() - start;
    benchmark::DoNotOptimize(sinks.data());
    best = std::max(best, std::reduce(done.begin(), done.end()) / taken.count());
  }
  return best;
}

}  // namespace ssmgen::bench
#endif
