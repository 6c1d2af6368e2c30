#include <gtest/gtest.h>
#include <vector>

#include "genome/tokens.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::genome {
namespace {

TEST(Tokens, DefaultTableIsThatOfCaduceus) {
  const DnaVocabulary vocabulary = default_dna_vocabulary();
  EXPECT_EQ(vocabulary.base_ids, (std::array<std::int32_t, 4>{7, 8, 9, 10}));
  EXPECT_EQ(vocabulary.n, 11);
  EXPECT_EQ(vocabulary.mask, 3);
  EXPECT_EQ(vocabulary.pad, 4);
  EXPECT_EQ(vocabulary.unknown, 6);
}

TEST(Tokens, EncodesBothCasesAndUnknowns) {
  const std::string_view text = "ACGTNacgtnRy*[\xff";
  std::vector<std::int32_t> ids(text.size());
  encode(text, default_dna_vocabulary(), ids);
  EXPECT_EQ(ids, (std::vector<std::int32_t>{7, 8, 9, 10, 11, 7, 8, 9, 10, 11, 6, 6, 6, 6, 6}));
}

TEST(Tokens, UsesTheVocabularyGiven) {
  const DnaVocabulary vocabulary{
      .base_ids = {3, 6, 4, 5}, .n = 2, .mask = 1, .unknown = 9, .pad = 0};
  const DnaEncoder encoder(vocabulary);
  EXPECT_EQ(encoder('a'), 3);
  EXPECT_EQ(encoder('C'), 6);
  EXPECT_EQ(encoder('g'), 4);
  EXPECT_EQ(encoder('T'), 5);
  EXPECT_EQ(encoder('n'), 2);
  EXPECT_EQ(encoder('X'), 9);
}

TEST(Tokens, RefusesAnotherLength) {
  std::vector<std::int32_t> ids(3);
  test::expect_error<InvalidArgument>([&] { encode("ACGT", default_dna_vocabulary(), ids); },
                                      {"4 letters", "3"});
}

}  // namespace
}  // namespace ssmgen::genome
