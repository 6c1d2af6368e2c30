#include <cmath>
#include <gtest/gtest.h>
#include <ssmgen/embed.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen {
namespace {

const std::string data = std::string(SSMGEN_SOURCE_DIR) + "/test_data/";

class Quiet : public EmbedObserver {
 public:
  void on_plan(const EmbedPlan& /*plan*/) override { FAIL() << "there is no plan in memory"; }
  void on_progress(const EmbedProgress& progress) override { last = progress; }
  void on_note(const std::string& /*text*/) override {}
  void on_warning(const std::string& /*text*/) override {}

  EmbedProgress last;
};

class EmbedReads : public testing::Test {
 protected:
  EmbedReads() {
    options_.input = folder_.write("in.sam",
                                   "@SQ\tSN:c1\tLN:90\n"
                                   "@RG\tID:g\tSM:s\n"
                                   "a\t0\tc1\t11\t30\t8M2S\t*\t0\t0\tACGTTGCAGC\t*\tRG:Z:g\n"
                                   "b\t16\tc1\t21\t9\t4M\t*\t0\t0\tACGG\t*\n"
                                   "c\t256\tc1\t31\t9\t4M\t*\t0\t0\t*\t*\n"
                                   "d\t4\t*\t0\t0\t*\t*\t0\t0\tNNN\t*\n");
    options_.settings.pooling = parse_embed_pooling("mean");
  }

  test::TemporaryFolder folder_;
  EmbedOptions options_;
  Quiet observer_;
  const Model model_ = Model::load(data + "golden/caduceus_ps");
};

TEST_F(EmbedReads, GivesTheRowsOfTheirSequences) {
  const ReadEmbeddings found = embed_reads(model_, options_, observer_);
  const std::vector<std::string> letters{"ACGTTGCAGC", "ACGG", "NNN"};
  EXPECT_EQ(found.values, embed_sequences(model_, letters, options_.settings).values);
  EXPECT_EQ(found.names, (std::vector<std::string>{"a", "b", "d"}));
  EXPECT_EQ(found.contigs, (std::vector<std::string>{"c1", "c1", ""}));
  EXPECT_EQ(found.begins, (std::vector<std::int64_t>{10, 20, -1}));
  EXPECT_EQ(found.ends, (std::vector<std::int64_t>{18, 24, -1}));
  EXPECT_EQ(found.strands, "+-.");
  EXPECT_EQ(found.flags, (std::vector<std::int64_t>{0, 16, 4}));
  EXPECT_EQ(found.mapqs, (std::vector<std::int64_t>{30, 9, 0}));
  EXPECT_EQ(found.read_groups, (std::vector<std::string>{"g", "", ""}));
  EXPECT_EQ(found.pooled_bases, (std::vector<std::int64_t>{10, 4, 3}));
  EXPECT_EQ(found.summary.records, 3);
  EXPECT_EQ(found.summary.reads_without_sequence, 1);
  EXPECT_EQ(observer_.last.bases, 17);
  EXPECT_EQ(observer_.last.bases_total, 17);
}

TEST_F(EmbedReads, TurnsAReverseReadAsTheMachineReadIt) {
  options_.orientation = ReadOrientation::sequenced;
  options_.settings.strand = EmbedStrand::plus;
  const std::vector<std::string> letters{"ACGTTGCAGC", "CCGT", "NNN"};
  EXPECT_EQ(embed_reads(model_, options_, observer_).values,
            embed_sequences(model_, letters, options_.settings).values);
}

TEST_F(EmbedReads, MarksAReadWithoutABaseToPool) {
  options_.settings.skip_n = true;
  const ReadEmbeddings found = embed_reads(model_, options_, observer_);
  EXPECT_EQ(found.summary.empty_records, 1);
  EXPECT_EQ(found.pooled_bases.back(), 0);
  EXPECT_TRUE(std::isnan(found.values.back()));
}

TEST_F(EmbedReads, RefusesWhatIsNoRowARead) {
  options_.settings.layer = "all";
  test::expect_error<InvalidArgument>([&] { embed_reads(model_, options_, observer_); },
                                      {"one row a read"});
  options_.settings.layer = "last";
  options_.settings.per_window = true;
  test::expect_error<InvalidArgument>([&] { embed_reads(model_, options_, observer_); },
                                      {"one row a read"});
}

TEST_F(EmbedReads, RefusesWhatHoldsNoReads) {
  options_.input = data + "genome/demo.fa";
  test::expect_error<InvalidArgument>([&] { embed_reads(model_, options_, observer_); },
                                      {"demo.fa", "holds FASTA", "embed_files()"});
}

TEST_F(EmbedReads, RefusesMoreBytesThanAreAllowed) {
  options_.max_output_bytes = 3 * 4 * model_.info().d_model - 1;
  test::expect_error<InvalidArgument>([&] { embed_reads(model_, options_, observer_); },
                                      {"in.sam", "allow more"});
  ++options_.max_output_bytes;
  EXPECT_EQ(embed_reads(model_, options_, observer_).summary.rows, 3);
  options_.max_output_bytes = 1;
  options_.yes = true;
  EXPECT_EQ(embed_reads(model_, options_, observer_).summary.rows, 3);
}

}  // namespace
}  // namespace ssmgen
