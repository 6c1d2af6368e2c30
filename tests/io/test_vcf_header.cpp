#include <gtest/gtest.h>

#include "io/vcf_header.hpp"

namespace ssmgen::io {
namespace {

using Lines = std::vector<std::string>;

TEST(VcfHeader, SplitsIntoLinesAndColumns) {
  const VcfHeaderText header = split_header("##a=1\n##b=2\n#CHROM\tPOS\n");
  EXPECT_EQ(header.lines, (Lines{"##a=1", "##b=2"}));
  EXPECT_EQ(header.column_line, "#CHROM\tPOS");
}

TEST(VcfHeader, SampleNamesBeginAtColumnTen) {
  const std::string fixed(kFixedColumns);
  EXPECT_TRUE(sample_names(fixed).empty());
  EXPECT_TRUE(sample_names(fixed + "\tFORMAT").empty());
  EXPECT_EQ(sample_names(fixed + "\tFORMAT\tA b\tC"), (Lines{"A b", "C"}));
  EXPECT_EQ(count_columns(fixed + "\tFORMAT\tA b\tC"), 11);
}

TEST(VcfHeader, FindsTheIdOfALine) {
  EXPECT_EQ(line_id("##INFO=<ID=DP,Number=1>", "INFO"), "DP");
  EXPECT_EQ(line_id("##INFO=<Number=1,ID=DP>", "INFO"), "DP");
  EXPECT_EQ(line_id("##contig=<ID=HLA:1>", "contig"), "HLA:1");
  EXPECT_EQ(line_id("##FORMAT=<ID=DP,Number=1>", "INFO"), "");
  EXPECT_EQ(line_id("##INFOX=<ID=DP>", "INFO"), "");
  EXPECT_EQ(line_id("##INFO=1", "INFO"), "");
}

TEST(VcfHeader, OutputKeepsLinesInOrderAndReplacesInfo) {
  const VcfHeaderText input{{"##fileformat=VCFv4.3", "##INFO=<ID=S,old>", "##x", "##contig=<ID=1>"},
                            "#CHROM"};
  const VcfHeaderText out = make_output_header(input, {{"1", 100}, {"2", 50}, {"3", -1}},
                                               {"##INFO=<ID=S,new>", "##ssmgen_version=1"});
  EXPECT_EQ(out.lines,
            (Lines{"##fileformat=VCFv4.3", "##x", "##contig=<ID=1>", "##contig=<ID=2,length=50>",
                   "##contig=<ID=3>", "##INFO=<ID=S,new>", "##ssmgen_version=1"}));
}

TEST(VcfHeader, OutputSuppliesWhatIsMissing) {
  const VcfHeaderText out =
      make_output_header({{"##x"}, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER"}, {}, {});
  EXPECT_EQ(out.lines, (Lines{"##fileformat=VCFv4.2", "##x"}));
  EXPECT_EQ(out.column_line, kFixedColumns);
}

}  // namespace
}  // namespace ssmgen::io
