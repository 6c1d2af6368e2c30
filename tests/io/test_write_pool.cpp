#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>

#include "io/write_pool.hpp"

namespace ssmgen::io {
namespace {

TEST(WritePool, RunsEveryJobBeforeWaitReturns) {
  for (const int threads : {0, 1, 2, 7}) {
    WritePool pool(threads);
    std::atomic<int> done = 0;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 100; ++i) pool.submit([&] { ++done; });
      pool.wait();
      EXPECT_EQ(done, 100 * (round + 1));
    }
  }
}

TEST(WritePool, HandsOnWhatAJobThrows) {
  for (const int threads : {0, 3}) {
    WritePool pool(threads);
    EXPECT_THROW(
        {
          pool.submit([] { throw std::runtime_error("disk full"); });
          pool.wait();
        },
        std::runtime_error);
  }
  WritePool pool(2);
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i) pool.submit([] { throw std::runtime_error("disk full"); });
      },
      std::runtime_error);
}

TEST(WritePool, EndsWithJobsLeft) {
  std::atomic<int> done = 0;
  {
    WritePool pool(2);
    for (int i = 0; i < 4; ++i) pool.submit([&] { ++done; });
  }
  EXPECT_LE(done, 4);
}

}  // namespace
}  // namespace ssmgen::io
