#include <gtest/gtest.h>

#include "genome/contig_names.hpp"

namespace ssmgen::genome {
namespace {

using Contigs = std::vector<Contig>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(ContigNames, ExactNamesMatchAndNothingIsSaid) {
  const Contigs fasta{{"chr1", 100}, {"chr2", 50}};
  ContigNames names(fasta, Contigs{{"chr2", 50}, {"chr1", -1}});
  EXPECT_EQ(names.find("chr1"), 0);
  EXPECT_EQ(names.find("chr2"), 1);
  EXPECT_EQ(names.find("chr3"), -1);
  EXPECT_TRUE(names.reconciled().empty());
  EXPECT_EQ(names.matched_count(), 2);
  EXPECT_EQ(names.vcf_count(), 3);
}

TEST(ContigNames, PrefixIsReconciledBothWays) {
  ContigNames without(Contigs{{"chr1", 100}, {"chrX", 50}}, Contigs{{"1", -1}, {"X", -1}});
  EXPECT_EQ(without.find("1"), 0);
  EXPECT_EQ(without.find("X"), 1);
  EXPECT_EQ(without.reconciled(), (Pairs{{"1", "chr1"}, {"X", "chrX"}}));
  ContigNames with(Contigs{{"1", 100}}, Contigs{{"chr1", 100}});
  EXPECT_EQ(with.find("chr1"), 0);
  EXPECT_EQ(with.reconciled(), (Pairs{{"chr1", "1"}}));
}

TEST(ContigNames, MitochondriaHaveSeveralNames) {
  EXPECT_EQ(ContigNames(Contigs{{"MT", 16569}}, Contigs{{"chrM", -1}}).find("chrM"), 0);
  EXPECT_EQ(ContigNames(Contigs{{"M", 16569}}, Contigs{{"chrM", -1}}).find("chrM"), 0);
  EXPECT_EQ(ContigNames(Contigs{{"chrM", 16569}}, Contigs{{"MT", -1}}).find("MT"), 0);
  EXPECT_EQ(ContigNames(Contigs{{"chrMT", 16569}}, Contigs{{"MT", -1}}).find("MT"), 0);
}

TEST(ContigNames, TwoFormsInTheFastaAreAmbiguous) {
  ContigNames mitochondria(Contigs{{"MT", 16569}, {"M", 16571}}, Contigs{{"chrM", -1}});
  EXPECT_EQ(mitochondria.find("chrM"), -1);
  // With the exact name there nothing is ambiguous.
  ContigNames both(Contigs{{"1", 100}, {"chr1", 100}}, Contigs{{"chr1", -1}});
  EXPECT_EQ(both.find("chr1"), 1);
}

TEST(ContigNames, AContigNamedExactlyIsTakenByNobodyElse) {
  ContigNames names(Contigs{{"1", 100}}, Contigs{{"chr1", -1}, {"1", -1}});
  EXPECT_EQ(names.find("1"), 0);
  EXPECT_EQ(names.find("chr1"), -1);
  EXPECT_TRUE(names.reconciled().empty());
}

TEST(ContigNames, TwoNamesForOneContigAreBothRefused) {
  ContigNames names(Contigs{{"chrM", 16569}}, Contigs{{"M", -1}, {"MT", -1}});
  EXPECT_EQ(names.find("M"), -1);
  EXPECT_EQ(names.find("MT"), -1);
  EXPECT_EQ(names.matched_count(), 0);
}

TEST(ContigNames, ALengthThatDiffersRefuses) {
  ContigNames names(Contigs{{"MT", 16569}}, Contigs{{"chrM", 16571}});
  EXPECT_EQ(names.find("chrM"), -1);
  ContigNames exact(Contigs{{"1", 100}}, Contigs{{"1", 99}});
  EXPECT_EQ(exact.find("1"), 0);
}

TEST(ContigNames, UndeclaredNamesAreReconciledOnFirstSight) {
  ContigNames names(Contigs{{"chr1", 100}, {"chr2", 50}}, Contigs{});
  EXPECT_EQ(names.find("1"), 0);
  EXPECT_EQ(names.find("1"), 0);
  EXPECT_EQ(names.reconciled(), (Pairs{{"1", "chr1"}}));
  EXPECT_EQ(names.find("chr2"), 1);
  EXPECT_EQ(names.find("2"), -1);
}

TEST(ContigNames, ARepeatedDeclarationCountsOnce) {
  ContigNames names(Contigs{{"chr1", 100}}, Contigs{{"1", -1}, {"1", -1}});
  EXPECT_EQ(names.find("1"), 0);
  EXPECT_EQ(names.matched_count(), 1);
}

TEST(ContigNames, OtherNamesAreLeftAlone) {
  EXPECT_EQ(alternative_contig_names("chr1"), std::vector<std::string>{"1"});
  EXPECT_EQ(alternative_contig_names("scaffold_7"), std::vector<std::string>{"chrscaffold_7"});
  EXPECT_TRUE(alternative_contig_names("chr").empty());
  EXPECT_TRUE(alternative_contig_names("").empty());
}

}  // namespace
}  // namespace ssmgen::genome
