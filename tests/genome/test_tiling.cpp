#include <algorithm>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>

#include "genome/tiling.hpp"

namespace ssmgen::genome {
namespace {

TEST(Tiling, ReadsAShortRecordAtOnce) {
  for (const std::int64_t length : {1, 99, 100}) {
    const Tiling tiling(length, 100, 50);
    ASSERT_EQ(tiling.count(), 1);
    EXPECT_EQ(tiling.tile(0), (Tile{0, length, 0, length}));
  }
  EXPECT_EQ(Tiling(0, 100, 50).count(), 0);
}

TEST(Tiling, ReadsAWholeRecordAtOnceWithoutAWindow) {
  const Tiling tiling(1'000'000, 0, 0);
  ASSERT_EQ(tiling.count(), 1);
  EXPECT_EQ(tiling.tile(0), (Tile{0, 1'000'000, 0, 1'000'000}));
}

TEST(Tiling, SharesAnOverlapHalfAndHalf) {
  const Tiling tiling(170, 100, 50);
  ASSERT_EQ(tiling.count(), 3);
  EXPECT_EQ(tiling.tile(0), (Tile{0, 100, 0, 75}));
  EXPECT_EQ(tiling.tile(1), (Tile{50, 150, 75, 110}));
  EXPECT_EQ(tiling.tile(2), (Tile{70, 170, 110, 170}));  // moved inward
}

TEST(Tiling, KeepsEveryBaseOnceInsideItsWindow) {
  for (const std::int64_t length : {101, 150, 199, 1000, 1001}) {
    for (const std::int64_t stride : {1, 7, 50, 99, 100}) {
      const Tiling tiling(length, 100, stride);
      std::int64_t covered = 0;
      for (std::int64_t i = 0; i < tiling.count(); ++i) {
        const Tile tile = tiling.tile(i);
        EXPECT_EQ(tile.end - tile.begin, 100);
        EXPECT_GE(tile.begin, 0);
        EXPECT_LE(tile.end, length);
        EXPECT_EQ(tile.keep_begin, covered);
        EXPECT_LE(tile.begin, tile.keep_begin);
        EXPECT_LT(tile.keep_begin, tile.keep_end);
        EXPECT_LE(tile.keep_end, tile.end);
        covered = tile.keep_end;
      }
      EXPECT_EQ(covered, length) << length << " " << stride;
    }
  }
}

TEST(Tiling, RefusesAStrideThatLeavesBasesOut) {
  EXPECT_THROW(Tiling(1000, 100, 101), InvalidArgument);
  EXPECT_THROW(Tiling(1000, 100, 0), InvalidArgument);
}

}  // namespace
}  // namespace ssmgen::genome
