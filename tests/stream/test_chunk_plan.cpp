#include <algorithm>
#include <gtest/gtest.h>

#include "kernels/common.hpp"
#include "stream/chunk_plan.hpp"

namespace ssmgen::stream {
namespace {

constexpr std::int64_t tile = kernels::tile_length;

TEST(ChunkPlan, WithoutAChunkTheSequenceIsOne) {
  const ChunkPlan plan(3 * tile + 7, 0);
  ASSERT_EQ(plan.count(), 1);
  EXPECT_EQ(plan.range(0), (ChunkRange{0, 3 * tile + 7}));
}

TEST(ChunkPlan, ChunksAreRoundedUpToTilesAndCoverTheSequence) {
  for (const std::int64_t length : {std::int64_t{1}, tile - 1, tile, tile + 1, 5 * tile + 3}) {
    for (const std::int64_t chunk : {std::int64_t{1}, tile, tile + 1, 2 * tile, 9 * tile}) {
      const ChunkPlan plan(length, chunk);
      std::int64_t position = 0;
      for (std::int64_t i = 0; i < plan.count(); ++i) {
        const ChunkRange range = plan.range(i);
        EXPECT_EQ(range.begin, position);
        EXPECT_GT(range.length(), 0);
        EXPECT_EQ(range.begin % tile, 0) << "length " << length << " chunk " << chunk;
        position = range.end;
      }
      EXPECT_EQ(position, length);
      EXPECT_GE(plan.chunk_bases(), std::min(chunk, length));
    }
  }
}

TEST(ChunkPlan, MirroredChunksAreTheSameFromEitherEnd) {
  constexpr std::int64_t unit = 16;
  for (const std::int64_t length : {131072, 131071, 100001, 8192, 8193, 97, 96, 64}) {
    SCOPED_TRACE(length);
    const ChunkPlan plan = ChunkPlan::mirrored(length, unit);
    ASSERT_TRUE(plan.is_mirrored());
    std::int64_t position = 0;
    std::int64_t longest = 0;
    for (std::int64_t i = 0; i < plan.count(); ++i) {
      const ChunkRange range = plan.range(i);
      const ChunkRange opposite = plan.range(plan.count() - 1 - i);
      EXPECT_EQ(range.begin, position);
      EXPECT_GE(range.length(), unit);
      EXPECT_EQ(range.begin, length - opposite.end);
      EXPECT_TRUE(range.begin % unit == 0 || (length - range.begin) % unit == 0);
      longest = std::max(longest, range.length());
      position = range.end;
    }
    EXPECT_EQ(position, length);
    EXPECT_EQ(plan.chunk_bases(), longest);
  }
  EXPECT_EQ(ChunkPlan::mirrored(131072, unit).count(), 4);
  EXPECT_EQ(ChunkPlan::mirrored(2 * unit, unit).count(), 1);
  EXPECT_FALSE(ChunkPlan::mirrored(2 * unit, unit).is_mirrored());
}

TEST(ChunkPlan, AnEmptySequenceHasNoChunk) {
  EXPECT_EQ(ChunkPlan(0, tile).count(), 0);
}

TEST(ChunkPlan, LengthsBeyondThirtyTwoBitsAreExact) {
  const std::int64_t length = (std::int64_t{1} << 33) + 5;
  const ChunkPlan plan(length, tile);
  EXPECT_EQ(plan.count(), (std::int64_t{1} << 33) / tile + 1);
  EXPECT_EQ(plan.range(plan.count() - 1), (ChunkRange{std::int64_t{1} << 33, length}));
}

}  // namespace
}  // namespace ssmgen::stream
