#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <sched.h>
#include <ssmgen/errors.hpp>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "kernels/cpu/thread_pool.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::kernels::cpu {
namespace {

std::vector<int> visits(ThreadPool& pool, std::int64_t count) {
  std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
  pool.parallel_for(count, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
  return {seen.begin(), seen.end()};
}

TEST(ThreadPool, VisitsEachIndexOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t count : {0, 1, 2, 3, 7, 64, 1001}) {
      EXPECT_EQ(visits(pool, count), std::vector<int>(static_cast<std::size_t>(count), 1))
          << threads << " threads, " << count << " indices";
    }
  }
}

TEST(ThreadPool, SeesWhatTheCallerWroteAndIsSeenByIt) {
  ThreadPool pool(4);
  std::vector<std::int64_t> values(16);
  for (std::int64_t round = 0; round < 20000; ++round) {
    for (std::int64_t& value : values) value = round;
    pool.parallel_for(16, [&](std::int64_t i) { values[static_cast<std::size_t>(i)] += i; });
    std::int64_t sum = 0;
    for (const std::int64_t value : values) sum += value;
    ASSERT_EQ(sum, 16 * round + 120);
  }
}

TEST(ThreadPool, WakesThreadsThatFellAsleep) {
  ThreadPool pool(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // a hundred times the spinning
    // Both indices wait for each other: one thread alone would never return.
    std::atomic<int> inside{0};
    pool.parallel_for(2, [&](std::int64_t) {
      ++inside;
      while (inside.load() < 2) std::this_thread::yield();
    });
    EXPECT_EQ(inside.load(), 2);
  }
}

TEST(ThreadPool, ThrowsTheBodysExceptionInTheCallerAndWorksOn) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 100; ++round) {
      std::atomic<int> calls{0};
      const auto failing = [&](std::int64_t i) {
        ++calls;
        if (i % 3 == 2) throw std::out_of_range("index");
      };
      EXPECT_THROW(pool.parallel_for(1000000, failing), std::out_of_range);
      EXPECT_LT(calls.load(), 1000000);
    }
    EXPECT_EQ(visits(pool, 10), std::vector<int>(10, 1));
  }
}

TEST(ThreadPool, RunsNestedLoopsInTheBodysThread) {
  ThreadPool pool(3);
  std::atomic<int> calls{0};
  pool.parallel_for(8, [&](std::int64_t) {
    const auto outer = std::this_thread::get_id();
    pool.parallel_for(8, [&](std::int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      ++calls;
    });
  });
  EXPECT_EQ(calls.load(), 64);
}

TEST(ThreadPool, ServesSeveralCallersAtOnce) {
  ThreadPool pool(3);
  std::vector<std::int64_t> sums(4);
  std::vector<std::thread> callers;
  for (std::int64_t& sum : sums) {
    callers.emplace_back([&pool, &sum] {
      for (int round = 0; round < 500; ++round) {
        std::atomic<std::int64_t> total{0};
        pool.parallel_for(32, [&](std::int64_t i) { total += i; });
        sum += total.load();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sums, std::vector<std::int64_t>(4, 500 * 496));
}

TEST(ThreadPool, RunsSeriallyInAForkChild) {
  auto pool = std::make_unique<ThreadPool>(3);
  EXPECT_EQ(visits(*pool, 100), std::vector<int>(100, 1));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // the workers wait on the condition
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // a pool that waits for threads that are not there would hang
    const auto here = std::this_thread::get_id();
    int calls = 0;
    pool->parallel_for(100, [&](std::int64_t) {
      if (std::this_thread::get_id() == here) ++calls;
    });
    pool.reset();
    _exit(calls == 100 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(visits(*pool, 100), std::vector<int>(100, 1)) << "the parent's pool works on";
}

TEST(ThreadPool, ZeroMeansTheAffinityMask) {
  cpu_set_t before;
  CPU_ZERO(&before);
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(ThreadPool(0).threads(), CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(ThreadPool(0).threads(), 1);
  EXPECT_EQ(ThreadPool(2).threads(), 2) << "a number that was asked for stands";
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(ThreadPool, LeavesSignalsToTheHostProgram) {
  ThreadPool pool(2);
  std::atomic<int> inside{0};
  std::atomic<int> blocked{0};
  pool.parallel_for(2, [&](std::int64_t) {
    ++inside;
    while (inside.load() < 2) std::this_thread::yield();
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    blocked += sigismember(&mask, SIGINT);
  });
  EXPECT_EQ(blocked.load(), 1) << "the worker's, and not the caller's";
}

TEST(ThreadPool, RefusesImpossibleNumbers) {
  test::expect_error<InvalidArgument>([] { ThreadPool pool(-1); }, {"threads", "-1", "0"});
  test::expect_error<InvalidArgument>([] { ThreadPool pool(1000000); }, {"threads", "1000000"});
}

}  // namespace
}  // namespace ssmgen::kernels::cpu
