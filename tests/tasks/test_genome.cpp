#include <gtest/gtest.h>

#include "tests/support/expect_error.hpp"
#include "tests/support/memory_genome.hpp"

namespace ssmgen {
namespace {

TEST(FetchRegions, GivesTheStrandThatIsAskedFor) {
  test::MemoryGenome genome({{"a", "AACCGRTN"}, {"b", "TTTT"}});
  const std::vector<GenomeRegion> regions{
      {"a", 1, 6, false}, {"a", 1, 8, true}, {"b", 2, 2, true}, {"b", 0, 4, true}};
  EXPECT_EQ(fetch_regions(genome, regions),
            (std::vector<std::string>{"ACCGR", "NAYCGGT", "", "AAAA"}));
}

TEST(FetchRegions, NamesTheRegionThatIsNotThere) {
  test::MemoryGenome genome({{"a", "AACCGRTN"}, {"b", "TTTT"}});
  const auto fetch = [&](const GenomeRegion& region) {
    fetch_regions(genome, std::vector<GenomeRegion>{{"a", 0, 1, false}, region});
  };
  test::expect_error<InvalidArgument>([&] { fetch({"c", 0, 1, false}); }, {"region 2", "contig c"});
  test::expect_error<InvalidArgument>(
      [&] {
        fetch({"b", 2, 5, true});
      },
      {"region 2: b:3-5", "4 bases"});
  test::expect_error<InvalidArgument>([&] { fetch({"b", -1, 2, true}); }, {"region 2: b:0-2"});
  test::expect_error<InvalidArgument>([&] { fetch({"b", 3, 2, true}); }, {"region 2"});
}

}  // namespace
}  // namespace ssmgen
