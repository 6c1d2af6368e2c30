#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>

#include "kernels/common.hpp"
#include "stream/run_plan.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::stream {
namespace {

constexpr std::int64_t gigabyte = 1'000'000'000;
constexpr std::int64_t human_chromosome_1 = 248'956'422;

// Caduceus-PS d256 x 16 in bf16.
RunShape published_shape(std::int64_t length) {
  RunShape shape;
  shape.sizes = {256, 512, 16, 4, 16};
  shape.activation = core::ElementType::bf16;
  shape.residual = core::ElementType::bf16;
  shape.vocabulary = 16;
  shape.n_layer = 16;
  shape.strands = 2;
  shape.length = length;
  shape.predicted_rows = 1;
  return shape;
}

MemoryBudget card(std::int64_t device_bytes, std::int64_t host_bytes, std::int64_t scratch = -1) {
  return {false, device_bytes, host_bytes, scratch, "free on the device", "free on the host"};
}

RunPreference card_preference() {
  RunPreference preference;
  preference.most_whole_bases = 1 << 18;
  preference.usual_chunk_bases = 1 << 16;
  preference.has_streams = true;
  return preference;
}

TEST(RunPlan, TakesTheFastestWayThatFits) {
  const auto mode_of = [](std::int64_t length, std::int64_t device) {
    return plan_run(published_shape(length), card(device, 0), card_preference());
  };
  EXPECT_EQ(mode_of(1000, 140 * gigabyte).mode, RunMode::whole);
  EXPECT_EQ(mode_of(1 << 18, 140 * gigabyte).mode, RunMode::whole);
  EXPECT_EQ(mode_of(1 << 20, 140 * gigabyte).mode, RunMode::kept);
  EXPECT_EQ(mode_of(1 << 25, 140 * gigabyte).mode, RunMode::kept);
  EXPECT_EQ(mode_of(1 << 27, 140 * gigabyte).mode, RunMode::folded);
  // What would go in one piece goes a strand at a time, and is cut, where memory is short.
  EXPECT_NE(mode_of(1000, mode_of(1000, gigabyte).device_bytes - 1).mode, RunMode::whole);
  EXPECT_EQ(mode_of(1 << 18, gigabyte / 2).mode, RunMode::folded);
}

// One strand's stream of the largest human chromosome fits on the card.
TEST(RunPlan, AHumanChromosomeRunsOnTheCard) {
  const RunPlan plan =
      plan_run(published_shape(human_chromosome_1), card(140 * gigabyte, 0), card_preference());
  EXPECT_EQ(plan.mode, RunMode::folded);
  EXPECT_EQ(plan.stream, StorePlace::device);
  EXPECT_EQ(plan.chunk_bases, 1 << 16);
  const std::int64_t stream = human_chromosome_1 * 256 * 2;
  EXPECT_GT(plan.device_bytes, stream);
  EXPECT_LT(plan.device_bytes, stream + 2 * gigabyte);
  EXPECT_EQ(plan.host_bytes, 0);
  EXPECT_EQ(plan.scratch_bytes, 0);
}

TEST(RunPlan, TheStreamGoesToTheHostAndThenToAFile) {
  const std::int64_t length = 1 << 26;
  const std::int64_t stream = length * 256 * 2;
  const RunPlan host =
      plan_run(published_shape(length), card(24 * gigabyte, 100 * gigabyte), card_preference());
  EXPECT_EQ(host.stream, StorePlace::host);
  EXPECT_GE(host.host_bytes, stream);
  EXPECT_LT(host.device_bytes, 2 * gigabyte);
  const RunPlan file =
      plan_run(published_shape(length), card(24 * gigabyte, 10 * gigabyte, 1000 * gigabyte),
               card_preference());
  EXPECT_EQ(file.stream, StorePlace::scratch);
  EXPECT_EQ(file.scratch_bytes, stream);
  EXPECT_LT(file.host_bytes, gigabyte);
  // Device memory does not grow with the length but for the borders' states.
  const RunPlan longer =
      plan_run(published_shape(4 * length), card(24 * gigabyte, 10 * gigabyte, 1000 * gigabyte),
               card_preference());
  EXPECT_LT(longer.device_bytes, file.device_bytes + gigabyte / 5);
}

TEST(RunPlan, RowsThatAreReadEverywhereAreKeptOfTheFirstStrand) {
  RunShape shape = published_shape(human_chromosome_1);
  const std::int64_t stream = shape.length * 256 * 2;
  shape.predicted_rows = shape.length;
  const RunPlan plan = plan_run(shape, card(140 * gigabyte, 140 * gigabyte), card_preference());
  EXPECT_EQ(plan.stream, StorePlace::device);
  EXPECT_EQ(plan.predicted, StorePlace::host);
  EXPECT_EQ(plan.host_bytes, stream);
  shape.strands = 1;
  EXPECT_EQ(plan_run(shape, card(140 * gigabyte, 0), card_preference()).host_bytes, 0);
}

TEST(RunPlan, SmallerChunksFitIntoLess) {
  const auto plan = [](std::int64_t device) {
    return plan_run(published_shape(1 << 20), card(device, 100 * gigabyte), card_preference());
  };
  std::int64_t before = 1 << 17;
  for (const std::int64_t device : {gigabyte, gigabyte / 4, gigabyte / 16}) {
    const RunPlan found = plan(device);
    EXPECT_LE(found.device_bytes, device);
    EXPECT_LT(found.chunk_bases, before);
    EXPECT_EQ(found.chunk_bases % kernels::tile_length, 0);
    before = found.chunk_bases;
  }
}

TEST(RunPlan, AChunkThatIsGivenIsTaken) {
  RunPreference preference = card_preference();
  preference.chunk_bases = 5000;
  const RunPlan plan = plan_run(published_shape(1 << 20), card(140 * gigabyte, 0), preference);
  EXPECT_EQ(plan.chunk_bases, 5120);
  test::expect_error<DeviceError>(
      [&] { plan_run(published_shape(1 << 20), card(gigabyte / 50, 0), preference); }, {"5120"});
}

// The states at the borders of many small chunks would take more than larger chunks do.
TEST(RunPlan, ChunksOfAVeryLongSequenceAreLarger) {
  RunPreference preference;
  preference.most_whole_bases = preference.usual_chunk_bases = 4096;
  MemoryBudget budget{true, 200 * gigabyte, 0, -1, "free on this machine", ""};
  const RunPlan plan = plan_run(published_shape(human_chromosome_1), budget, preference);
  EXPECT_GT(plan.chunk_bases, 4096);
  EXPECT_LT(plan.workspace_bytes, gigabyte);
}

TEST(RunPlan, ACausalStackKeepsNothing) {
  RunShape shape = published_shape(human_chromosome_1);
  shape.strands = 1;
  shape.is_causal = true;
  shape.is_bidirectional = shape.sums_sweeps = false;
  const RunPlan plan = plan_run(shape, card(gigabyte, 0), card_preference());
  EXPECT_EQ(plan.mode, RunMode::chunks);
  EXPECT_EQ(plan.host_bytes + plan.scratch_bytes, 0);
}

TEST(RunPlan, ShortSequencesGoTogetherAsFarAsMemoryGoes) {
  const RunShape shape = published_shape(512);
  const RunPlan plan = plan_run(shape, card(gigabyte, 0), card_preference());
  EXPECT_EQ(plan.mode, RunMode::whole);
  EXPECT_GT(plan.most_together, 10);
  EXPECT_LE(plan.most_together * plan.device_bytes, gigabyte);
  EXPECT_EQ(plan_run(shape, card(plan.device_bytes, 0), card_preference()).most_together, 1);
}

TEST(RunPlan, SaysWhatIsNeededAndWhichOptionHelps) {
  const RunShape shape = published_shape(1 << 26);
  test::expect_error<DeviceError>(
      [&] { plan_run(shape, card(24 * gigabyte, 10 * gigabyte), card_preference()); },
      {"67108864 bases", "24000000000", "free on the device", "--scratch DIR", "--device-memory"});
  test::expect_error<DeviceError>(
      [&] { plan_run(shape, card(gigabyte, 0, 34 * gigabyte), card_preference()); },
      {"34000000000 of scratch", "larger --scratch"});
}

}  // namespace
}  // namespace ssmgen::stream
