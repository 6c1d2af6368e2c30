#include <gtest/gtest.h>

#include "io/region_set.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using genome::Region;
using ssmgen::test::expect_error;

std::vector<Region> parse(std::string_view text) {
  return parse_regions(text, "-r", [](std::string_view name) { return name == "HLA:1-5"; });
}

TEST(RegionSet, ReadsEveryForm) {
  EXPECT_EQ(parse("chr1"), (std::vector<Region>{{"chr1", -1, Region::kToTheEnd}}));
  EXPECT_EQ(parse("chr1:7"), (std::vector<Region>{{"chr1", 6, 7}}));
  EXPECT_EQ(parse("chr1:7-"), (std::vector<Region>{{"chr1", 6, Region::kToTheEnd}}));
  EXPECT_EQ(parse("a:1-2,b,c:3"),
            (std::vector<Region>{{"a", 0, 2}, {"b", -1, Region::kToTheEnd}, {"c", 2, 3}}));
}

TEST(RegionSet, NamesMayHoldColonsAndCommas) {
  // Whole, as it names a contig; else the last colon divides.
  EXPECT_EQ(parse("HLA:1-5"), (std::vector<Region>{{"HLA:1-5", -1, Region::kToTheEnd}}));
  EXPECT_EQ(parse("HLA:1-6"), (std::vector<Region>{{"HLA", 0, 6}}));
  EXPECT_EQ(parse("HLA:1-5:7-9"), (std::vector<Region>{{"HLA:1-5", 6, 9}}));
  EXPECT_EQ(parse("{HLA:1-5}:7-9,{x,y}"),
            (std::vector<Region>{{"HLA:1-5", 6, 9}, {"x,y", -1, Region::kToTheEnd}}));
}

TEST(RegionSet, RefusesWhatItCannotRead) {
  for (const char* text : {"", "a,", "a:", "a:x", "a:5-4", "a:-5", "a:1-x", "{a", "{}", "{a}b",
                           "{a}:", ":5", "a:1-2-3", "a:99999999999999999999"}) {
    expect_error<InvalidArgument>([&] { parse(text); }, {"-r", "chr:beg-end"});
  }
}

TEST(RegionSet, MergesWhatTouches) {
  const RegionSet set({{"a", 5, 10}, {"b", 0, 3}, {"a", 0, 5}, {"a", 20, 30}, {"a", 22, 25}});
  EXPECT_EQ(set.regions(), (std::vector<Region>{{"a", 0, 10}, {"a", 20, 30}, {"b", 0, 3}}));
}

TEST(RegionSet, TouchesClosedRanges) {
  const RegionSet set({{"a", 10, 20}, {"a", 30, 40}});
  EXPECT_FALSE(set.touches("a", 5, 9));
  EXPECT_TRUE(set.touches("a", 5, 10));
  EXPECT_TRUE(set.touches("a", 19, 19));
  EXPECT_FALSE(set.touches("a", 20, 29));
  EXPECT_TRUE(set.touches("a", 20, 30));
  EXPECT_TRUE(set.touches("a", 0, 100));
  EXPECT_FALSE(set.touches("a", 40, 50));
  EXPECT_FALSE(set.touches("b", 10, 20));
  EXPECT_FALSE(RegionSet().touches("a", 0, 1));
  // An insertion between 14 and 15, and those at the borders.
  EXPECT_TRUE(set.touches("a", 15, 14));
  EXPECT_FALSE(set.touches("a", 10, 9));
  EXPECT_FALSE(set.touches("a", 20, 19));
}

TEST(RegionSet, ReadsBedAndTables) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string bed = "track name=x\n#c\nchr1\t0\t10\tname\n\nchr2\t5\t6\n";
  const std::vector<Region> expected{{"chr1", 0, 10}, {"chr2", 5, 6}};
  EXPECT_EQ(read_regions_file(folder.write("a.bed", bed)), expected);
  EXPECT_EQ(read_regions_file(folder.write("a.bed.gz", test::bgzip(bed))), expected);
  const std::string table = "chr1\t1\t10\nchr2\t6\n";
  EXPECT_EQ(read_regions_file(folder.write("a.txt", table)), expected);
  EXPECT_EQ(read_regions_file(folder.write("a.tsv.gz", test::gzip(table))), expected);
  // A VCF file: the third column is an ID.
  EXPECT_EQ(read_regions_file(folder.write("a.vcf", test::small_header() + test::small_records(2))),
            (std::vector<Region>{{"chr1", 9, 10}, {"chr1", 19, 20}}));
}

TEST(RegionSet, NamesTheLineOfABadFile) {
  const ssmgen::test::TemporaryFolder folder;
  expect_error([&] { read_regions_file(folder.write("a.bed", "chr1\t0\t5\nchr1\tx\t5\n")); },
               {"a.bed", "line 2", "0-based", "chr1\tx"});
  expect_error([&] { read_regions_file(folder.write("a.txt", "chr1\n")); },
               {"line 1", "CHROM POS"});
  expect_error([&] { read_regions_file(folder.write("b.txt", "#only\n")); }, {"no region"});
  const std::string cut = test::gzip("chr1\t1\t10\nchr2\t6\n");
  expect_error([&] { read_regions_file(folder.write("a.gz", cut.substr(0, cut.size() - 9))); },
               {"a.gz", "truncated"});
}

}  // namespace
}  // namespace ssmgen::io
