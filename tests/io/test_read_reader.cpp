#include <gtest/gtest.h>

#include "io/sequence_file.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;

const std::string sam_text =
    "@SQ\tSN:c1\tLN:100\n@RG\tID:g\tSM:s\n"
    "a\t0\tc1\t1\t60\t2S3M1D2M\t*\t0\t0\tACGTNAC\t*\tRG:Z:g\n"
    "b\t16\tc1\t11\t20\t4M\t*\t0\t0\tAACG\t*\n"
    "none\t256\tc1\t11\t20\t4M\t*\t0\t0\t*\t*\n"
    "c\t4\t*\t0\t0\t*\t*\t0\t0\tGGG\t*\n";

std::vector<SequenceRecord> read_all(const SequenceFileOptions& options) {
  const SequenceFile file = open_sequence_file(options);
  EXPECT_TRUE(file.holds_reads);
  std::vector<SequenceRecord> records;
  for (SequenceRecord record; file.source->next(record);) records.push_back(record);
  return records;
}

TEST(ReadReader, TellsWhatAReadIsAndWhereItLies) {
  const ssmgen::test::TemporaryFolder folder;
  SequenceFileOptions options;
  options.path = folder.write("r.sam", sam_text).string();
  const std::vector<SequenceRecord> reads = read_all(options);
  ASSERT_EQ(reads.size(), 3u);
  EXPECT_EQ(reads[0].letters, "ACGTNAC");
  EXPECT_EQ(reads[0].length, 7);
  EXPECT_EQ(reads[0].contig, "c1");
  EXPECT_EQ(reads[0].begin, 0);
  EXPECT_EQ(reads[0].end, 6);  // what is clipped lies nowhere, what is deleted does
  EXPECT_EQ(reads[0].strand, '+');
  EXPECT_EQ(reads[0].mapq, 60);
  EXPECT_EQ(reads[0].read_group, "g");
  EXPECT_EQ(reads[1].letters, "AACG");
  EXPECT_EQ(reads[1].strand, '-');
  EXPECT_EQ(reads[1].read_group, "");
  EXPECT_EQ(reads[2].contig, "");
  EXPECT_EQ(reads[2].begin, -1);
  EXPECT_EQ(reads[2].strand, '.');
}

TEST(ReadReader, ChoosesReadsAndTheirDirection) {
  const ssmgen::test::TemporaryFolder folder;
  SequenceFileOptions options;
  options.path = folder.write("r.sam", sam_text).string();
  options.as_sequenced = true;
  options.require_flags = "REVERSE";
  ASSERT_EQ(read_all(options).size(), 1u);
  EXPECT_EQ(read_all(options)[0].letters, "CGTT");
  options.require_flags = "";
  options.exclude_flags = "0x10";
  EXPECT_EQ(read_all(options).size(), 2u);
  options.min_mapq = 1;
  EXPECT_EQ(read_all(options).size(), 1u);
  options.lengths_only = true;
  EXPECT_EQ(read_all(options)[0].length, 7);
  EXPECT_TRUE(read_all(options)[0].letters.empty());
}

TEST(ReadReader, CountsReadsWithoutASequence) {
  const ssmgen::test::TemporaryFolder folder;
  SequenceFileOptions options;
  options.path = folder.write("r.sam", sam_text).string();
  const SequenceFile file = open_sequence_file(options);
  for (SequenceRecord record; file.source->next(record);) continue;
  EXPECT_EQ(file.source->without_sequence(), 1);
}

TEST(ReadReader, NamesTheReadThatIsBroken) {
  const ssmgen::test::TemporaryFolder folder;
  SequenceFileOptions options;
  options.path = folder.write("r.sam", sam_text + "d\t0\tc1\t5\n").string();
  expect_error([&] { read_all(options); }, {"r.sam: read 5 is cut", "4 reads were read before"});
}

}  // namespace
}  // namespace ssmgen::io
