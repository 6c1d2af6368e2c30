#include <gtest/gtest.h>
#include <string>

#include "genome/bases.hpp"

namespace ssmgen::genome {
namespace {

TEST(Bases, UpperCasesLettersOnly) {
  std::string letters = "acgtnryACGT*-09\xe4";
  upper_case(letters);
  EXPECT_EQ(letters, "ACGTNRYACGT*-09\xe4");
  EXPECT_EQ(upper_base('z'), 'Z');
  EXPECT_EQ(upper_base('{'), '{');
  EXPECT_EQ(upper_base('`'), '`');
}

TEST(Bases, ComplementsIupacAndKeepsCase) {
  EXPECT_EQ(reverse_complement("ACGTN"), "NACGT");
  EXPECT_EQ(reverse_complement("acgtn"), "nacgt");
  EXPECT_EQ(reverse_complement("RYSWKMBDHV"), "BDHVKMWSRY");
  EXPECT_EQ(reverse_complement("U"), "A");
  EXPECT_EQ(reverse_complement("*-"), "-*");
  EXPECT_EQ(reverse_complement(""), "");
}

TEST(Bases, ComplementTwiceIsTheSameAndFitsTheMasks) {
  for (char letter : std::string("ACGTRYSWKMBDHVNacgtryswkmbdhvn")) {
    EXPECT_EQ(complement(complement(letter)), letter);
    // The complement of a set of bases is the set of complements: bits in reverse order.
    int reversed = 0;
    for (int bit = 0; bit < 4; ++bit) {
      if ((iupac_mask(letter) >> bit & 1) != 0) reversed |= 8 >> bit;
    }
    EXPECT_EQ(iupac_mask(complement(letter)), reversed) << letter;
  }
}

TEST(Bases, IndexesTheFourBases) {
  EXPECT_EQ(base_index('A'), 0);
  EXPECT_EQ(base_index('c'), 1);
  EXPECT_EQ(base_index('G'), 2);
  EXPECT_EQ(base_index('t'), 3);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(base_index(kBaseLetters[i]), i);
  for (char letter : std::string("NUR.*< \t@")) EXPECT_EQ(base_index(letter), -1) << letter;
  EXPECT_TRUE(is_acgt("acGT"));
  EXPECT_FALSE(is_acgt("ACGN"));
  EXPECT_FALSE(is_acgt(""));
}

TEST(Bases, MatchesIupacCodesThatHoldTheBase) {
  EXPECT_TRUE(iupac_matches('a', 'A'));
  EXPECT_TRUE(iupac_matches('M', 'A'));
  EXPECT_TRUE(iupac_matches('M', 'c'));
  EXPECT_TRUE(iupac_matches('N', 'T'));
  EXPECT_TRUE(iupac_matches('A', 'N'));
  EXPECT_TRUE(iupac_matches('B', 'S'));
  EXPECT_FALSE(iupac_matches('M', 'G'));
  EXPECT_FALSE(iupac_matches('R', 'Y'));
  // M is A or C, R is A or G: they share A, but neither holds the other.
  EXPECT_FALSE(iupac_matches('M', 'R'));
  EXPECT_FALSE(iupac_matches('-', 'A'));
  EXPECT_TRUE(iupac_matches('-', '-'));
}

TEST(Bases, MatchesSequencesLetterByLetter) {
  EXPECT_TRUE(iupac_matches("ANG", "acg"));
  EXPECT_FALSE(iupac_matches("ANG", "ACT"));
  EXPECT_FALSE(iupac_matches("AN", "ANG"));
}

TEST(Bases, FindNoBaseCodeNamesTheFirstLetterThatIsNone) {
  EXPECT_EQ(find_no_base_code(""), std::string_view::npos);
  EXPECT_EQ(find_no_base_code("ACGTRYSWKMBDHVNacgtryswkmbdhvn"), std::string_view::npos);
  EXPECT_EQ(find_no_base_code("ACGU"), 3u);
  EXPECT_EQ(find_no_base_code("eACGT"), 0u);
  EXPECT_EQ(find_no_base_code("AC-G."), 2u);
}

}  // namespace
}  // namespace ssmgen::genome
