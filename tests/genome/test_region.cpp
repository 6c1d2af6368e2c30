#include <gtest/gtest.h>

#include "genome/region.hpp"

namespace ssmgen::genome {
namespace {

TEST(Region, OverlapsHalfOpen) {
  const Region region{"chr1", 10, 20};
  EXPECT_TRUE(region.overlaps(10, 11));
  EXPECT_TRUE(region.overlaps(19, 25));
  EXPECT_TRUE(region.overlaps(5, 30));
  EXPECT_FALSE(region.overlaps(5, 10));
  EXPECT_FALSE(region.overlaps(20, 21));
}

TEST(Region, RunsToTheEndByDefault) {
  const Region region{"chr1"};
  EXPECT_TRUE(region.overlaps(0, 1));
  EXPECT_TRUE(region.overlaps(3'000'000'000, 3'000'000'001));
}

}  // namespace
}  // namespace ssmgen::genome
