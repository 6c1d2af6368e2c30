#include <gtest/gtest.h>

#include "tasks/pass_pace.hpp"

namespace ssmgen::tasks {
namespace {

TEST(PassPace, ComesToAPassOfItsTimeAtAnySpeed) {
  for (const double bases_per_second : {3e3, 3e4, 3e6}) {
    PassPace pace;
    std::int64_t windows = 0;
    for (int pass = 0; pass < 12; ++pass) {
      windows = pace.windows(100, 1'000'000);
      pace.done(windows * 100, static_cast<double>(windows * 100) / bases_per_second);
    }
    const double seconds = static_cast<double>(windows * 100) / bases_per_second;
    EXPECT_NEAR(seconds, PassPace::pass_seconds, 0.1 * PassPace::pass_seconds + 100 / 3e3);
  }
}

TEST(PassPace, GivesOneWindowAtLeastAndNoMoreThanItMay) {
  PassPace pace;
  EXPECT_EQ(pace.windows(1 << 20, 64), 1);
  EXPECT_EQ(pace.windows(1, 64), 64);
  EXPECT_EQ(pace.windows(0, 64), 64);
  pace.done(4096, 1000.0);
  EXPECT_EQ(pace.windows(1, 1 << 20), PassPace::least_bases);
}

TEST(PassPace, GrowsNoMoreThanFourfoldAtOnce) {
  PassPace pace;
  pace.done(100, 1e-9);
  EXPECT_EQ(pace.windows(1, 1 << 20), 4 * PassPace::first_bases);
}

}  // namespace
}  // namespace ssmgen::tasks
