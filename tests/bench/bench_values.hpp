#pragma once
// Inputs and counters of the benches.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <sys/mman.h>

#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::bench {

struct Free {
  void operator()(void* memory) const noexcept { std::free(memory); }
};

/// `count` elements in huge pages where the system grants them, as the back end allocates.
template <class T>
std::unique_ptr<T[], Free> allocate(std::int64_t count) {
  constexpr std::size_t page = std::size_t{1} << 21;
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(T) + page - 1) / page * page;
  void* memory = std::aligned_alloc(page, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory, bytes, MADV_HUGEPAGE);
  return std::unique_ptr<T[], Free>(new (memory) T[static_cast<std::size_t>(count)]());
}

template <class T>
std::unique_ptr<T[], Free> normal_values(std::int64_t count, float mean, float deviation,
                                         unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(mean, deviation);
  auto values = allocate<T>(count);
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<T>(normal(engine));
  return values;
}

/// Bytes a second, read and written, of copying `bytes` by all threads of the pool: the floor of
/// kernels bound by memory, at their size, so in the cache they run in. The best of 20 runs.
inline double copied_bytes_per_second(kernels::cpu::ThreadPool& pool, double bytes) {
  constexpr std::int64_t block = 64 << 10;
  const std::int64_t blocks = std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes) / block);
  const auto from = allocate<std::byte>(blocks * block);
  const auto to = allocate<std::byte>(blocks * block);
  double best_seconds = 1e9;
  for (int repeat = 0; repeat < 20; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    pool.parallel_for(blocks, [&](std::int64_t i) {
      std::memcpy(to.get() + i * block, from.get() + i * block, block);
    });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, taken.count());
  }
  return 2.0 * static_cast<double>(blocks * block) / best_seconds;
}

/// Runs `body` in the timing loop and reports `work` units of it a second under `unit`, and as a
/// fraction of `floor` units a second.
template <class Body>
void run(benchmark::State& state, const char* unit, double work, double floor, const Body& body) {
  using clock = std::chrono::steady_clock;
  double best_seconds = 1e9;
  for (auto _ : state) {
    const auto start = clock::now();
    body();
    benchmark::ClobberMemory();
    const std::chrono::duration<double> taken = clock::now() - start;
    if (taken.count() < best_seconds) best_seconds = taken.count();
  }
  // Of the best iteration: other work on the machine only ever adds time.
  state.counters[unit] = work / best_seconds;
  state.counters["of_floor"] = work / best_seconds / floor;
}

}  // namespace ssmgen::bench
