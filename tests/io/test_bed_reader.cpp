#include <gtest/gtest.h>

#include "io/bed_reader.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;

TEST(BedReader, ReadsNamesAndStrands) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string text =
      "browser position x\ntrack name=a\n# words\n"
      "c1\t10\t20\tmy gene\t0\t-\textra\nc1\t0\t5\r\nc2\t7\t8\t.\t.\t.\n\nc3 1 4 spaced 0 +\n";
  for (const std::string& content : {text, test::gzip(text), test::bgzip(text)}) {
    const std::vector<BedRegion> regions = read_bed(folder.write("r.bed", content).string());
    ASSERT_EQ(regions.size(), 4u);
    EXPECT_EQ(regions[0].name, "my gene");
    EXPECT_EQ(regions[0].strand, '-');
    EXPECT_EQ(regions[0].begin, 10);
    EXPECT_EQ(regions[0].end, 20);
    EXPECT_EQ(regions[0].line, 4);
    EXPECT_EQ(regions[1].name, "c1:1-5");
    EXPECT_EQ(regions[1].strand, '+');
    EXPECT_EQ(regions[2].name, "c2:8-8");
    EXPECT_EQ(regions[2].strand, '+');
    EXPECT_EQ(regions[3].name, "spaced");
    EXPECT_EQ(regions[3].line, 8);
  }
}

TEST(BedReader, NamesTheLineThatIsWrong) {
  const ssmgen::test::TemporaryFolder folder;
  const auto refuse = [&](const std::string& line, std::string_view says) {
    const std::string path = folder.write("r.bed", "c1\t0\t5\n" + line + "\n").string();
    expect_error([&] { read_bed(path); }, {"r.bed: line 2: ", says});
  };
  refuse("c1\t5", "expected CHROM BEGIN END");
  refuse("c1\t5\tx", "whole numbers");
  refuse("c1\t-5\t7", "whole numbers");
  refuse("c1\t7\t7", "END above BEGIN");
  refuse("c1\t1\t7\tn\t0\t*", "strand");
  expect_error([&] { read_bed(folder.write("e.bed", "# nothing\n").string()); },
               {"e.bed: holds no region"});
  expect_error([&] { read_bed((folder.path() / "none.bed").string()); }, {"none.bed"});
}

TEST(BedSource, TakesTheSequencesOfTheStrand) {
  const ssmgen::test::TemporaryFolder folder;
  Fasta fasta(folder.write("g.fa", ">c1\nAAccGGTTNN\n>c2\nACGT\n").string());
  const std::string bed = folder.write("r.bed", "c1\t2\t8\ta\t0\t-\nc2\t0\t4\n").string();
  SequenceRecord record;
  BedSource source(bed, read_bed(bed), fasta, false);
  ASSERT_TRUE(source.next(record));
  EXPECT_EQ(record.letters, "AACCGG");
  EXPECT_EQ(record.contig, "c1");
  EXPECT_EQ(record.strand, '-');
  EXPECT_EQ(record.length, 6);
  ASSERT_TRUE(source.next(record));
  EXPECT_EQ(record.letters, "ACGT");
  EXPECT_FALSE(source.next(record));
  BedSource lengths(bed, read_bed(bed), fasta, true);
  ASSERT_TRUE(lengths.next(record));
  EXPECT_EQ(record.length, 6);
  EXPECT_TRUE(record.letters.empty());
}

TEST(BedSource, NamesRegionsThatLieNowhere) {
  const ssmgen::test::TemporaryFolder folder;
  Fasta fasta(folder.write("g.fa", ">c1\nAACC\n").string());
  const auto refuse = [&](const std::string& line, std::string_view says) {
    const std::string bed = folder.write("r.bed", "c1\t0\t4\n" + line + "\n").string();
    expect_error([&] { BedSource(bed, read_bed(bed), fasta, false); },
                 {"r.bed: line 2: ", says, "g.fa"});
  };
  refuse("c1\t0\t5", "runs past the end of c1, which has 4 bases");
  refuse("c9\t0\t5", "contig c9 is not in");
}

}  // namespace
}  // namespace ssmgen::io
