#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <ssmgen/errors.hpp>
#include <string>

#include "models/tokenizer.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::models {
namespace {

using test::expect_error;

using Bases = std::array<std::int32_t, 4>;

ModelConfig caduceus_config(std::int64_t vocab_size, std::vector<std::int32_t> complement = {}) {
  CaduceusConfig caduceus;
  caduceus.vocab_size = vocab_size;
  caduceus.complement_map = std::move(complement);
  return {"caduceus", caduceus, {}};
}

const std::vector<std::int32_t> default_map = {0, 1, 2, 3,  4,  5,  6,  10,
                                               9, 8, 7, 11, 12, 13, 14, 15};
const std::vector<std::int32_t> plant_map = {0, 1, 2, 6, 5, 4, 3, 7};

class TokenizerTest : public testing::Test {
 protected:
  ModelVocabulary read(const ModelConfig& config) const {
    return read_vocabulary(folder_.path(), config);
  }
  void expect_refused(const ModelConfig& config, std::initializer_list<std::string_view> parts) {
    expect_error([&] { read(config); }, {folder_.path().string()});
    expect_error([&] { read(config); }, parts);
  }
  void expect_not_dna(const ModelConfig& config, std::string_view reason) {
    const ModelVocabulary vocabulary = read(config);
    EXPECT_FALSE(vocabulary.is_dna);
    EXPECT_FALSE(vocabulary.has_mask());
    EXPECT_NE(vocabulary.note.find("not DNA"), std::string::npos) << vocabulary.note;
    EXPECT_NE(vocabulary.note.find(reason), std::string::npos) << vocabulary.note;
  }

  test::TemporaryFolder folder_;
};

TEST_F(TokenizerTest, WithoutFilesTheDefaultTableHolds) {
  const ModelVocabulary vocabulary = read(caduceus_config(16, default_map));
  EXPECT_TRUE(vocabulary.is_dna);
  EXPECT_EQ(vocabulary.dna, genome::default_dna_vocabulary());
  EXPECT_EQ(vocabulary.dna.base_ids, (Bases{7, 8, 9, 10}));
  EXPECT_EQ(vocabulary.dna.mask, 3);
  EXPECT_TRUE(vocabulary.has_mask());
  EXPECT_EQ(vocabulary.separator, 1);
  EXPECT_EQ(vocabulary.start, 0);
  EXPECT_EQ(vocabulary.max_length, 0);
  EXPECT_NE(vocabulary.note.find("default"), std::string::npos);
  EXPECT_TRUE(read(caduceus_config(12)).is_dna);
  EXPECT_TRUE(read(caduceus_config(64)).is_dna);
}

TEST_F(TokenizerTest, WithoutFilesAnotherSizeIsNotDna) {
  expect_not_dna(caduceus_config(11), "11");
  expect_not_dna(caduceus_config(65), "65");
  expect_not_dna(caduceus_config(50280), "50280");
}

TEST_F(TokenizerTest, TheDefaultTableMustFitTheComplementMap) {
  std::vector<std::int32_t> wrong = default_map;
  std::swap(wrong[7], wrong[8]);
  std::swap(wrong[9], wrong[10]);
  expect_refused(caduceus_config(16, wrong),
                 {"complement of A (id 7) is 9, expected 10", "default DNA table"});
  std::vector<std::int32_t> n_changes = default_map;
  std::swap(n_changes[11], n_changes[12]);
  expect_refused(caduceus_config(16, n_changes), {"complement of N (id 11) is 12"});
}

// The tokenizer.json of PlantCaduceus: lower case, no N.
TEST_F(TokenizerTest, ReadsPlantCaduceus) {
  folder_.write("tokenizer.json", R"({"version": "1.0", "added_tokens": [
      {"id": 0, "content": "[PAD]", "special": true},
      {"id": 1, "content": "[MASK]", "special": true},
      {"id": 2, "content": "[UNK]", "special": true}],
      "model": {"type": "BPE", "unk_token": "[UNK]", "merges": [],
      "vocab": {"[PAD]": 0, "[MASK]": 1, "[UNK]": 2, "a": 3, "c": 4, "g": 5, "t": 6}}})");
  folder_.write("tokenizer_config.json",
                R"({"model_max_length": 1000000000000000019884624838656,
                "mask_token": "[MASK]", "unk_token": "[UNK]", "tokenizer_class": "X"})");
  const ModelVocabulary vocabulary = read(caduceus_config(8, plant_map));
  EXPECT_TRUE(vocabulary.is_dna);
  EXPECT_EQ(vocabulary.dna.base_ids, (Bases{3, 4, 5, 6}));
  EXPECT_EQ(vocabulary.dna.unknown, 2);
  EXPECT_EQ(vocabulary.dna.n, 2);
  EXPECT_EQ(vocabulary.dna.mask, 1);
  EXPECT_EQ(vocabulary.dna.pad, 0);
  EXPECT_EQ(vocabulary.max_length, 0);
  EXPECT_FALSE(vocabulary.separator.has_value());
  EXPECT_NE(vocabulary.note.find("tokenizer.json"), std::string::npos);
}

TEST_F(TokenizerTest, WithoutItsFilesPlantCaduceusIsNotTakenForTheDefaultTable) {
  expect_not_dna(caduceus_config(8, plant_map), "8");
}

TEST_F(TokenizerTest, ReadsVocabJson) {
  folder_.write("vocab.json", R"({"<pad>": 0, "<mask>": 1, "<unk>": 2, "A": 5, "C": 6, "G": 7,
      "T": 8, "N": 9, "[SEP]": 3, "[CLS]": 4})");
  const ModelVocabulary vocabulary = read(caduceus_config(16));
  EXPECT_TRUE(vocabulary.is_dna);
  EXPECT_EQ(vocabulary.dna.base_ids, (Bases{5, 6, 7, 8}));
  EXPECT_EQ(vocabulary.dna.n, 9);
  EXPECT_EQ(vocabulary.dna.mask, 1);
  EXPECT_EQ(vocabulary.dna.unknown, 2);
  EXPECT_EQ(vocabulary.dna.pad, 0);
  EXPECT_EQ(vocabulary.separator, 3);
  EXPECT_EQ(vocabulary.start, 4);
  EXPECT_NE(vocabulary.note.find("vocab.json"), std::string::npos);
}

TEST_F(TokenizerTest, ReadsVocabTxt) {
  folder_.write("vocab.txt", "[PAD]\n[UNK]\r\nA\nC\nG\nT\nN\n[MASK]");
  const ModelVocabulary vocabulary = read(caduceus_config(8));
  EXPECT_EQ(vocabulary.dna.base_ids, (Bases{2, 3, 4, 5}));
  EXPECT_EQ(vocabulary.dna.unknown, 1);
  EXPECT_EQ(vocabulary.dna.n, 6);
  EXPECT_EQ(vocabulary.dna.mask, 7);
}

TEST_F(TokenizerTest, ReadsTheCharactersOfATokenizerThatIsCode) {
  folder_.write("tokenizer_config.json",
                R"({"characters": ["T", "G", "C", "A", "N"], "model_max_length": 131072})");
  const ModelVocabulary vocabulary = read(caduceus_config(16, default_map));
  EXPECT_EQ(vocabulary.dna.base_ids, (Bases{10, 9, 8, 7}));
  EXPECT_EQ(vocabulary.dna.n, 11);
  EXPECT_EQ(vocabulary.dna.mask, 3);
  EXPECT_EQ(vocabulary.dna.pad, 4);
  EXPECT_EQ(vocabulary.dna.unknown, 6);
  EXPECT_EQ(vocabulary.separator, 1);
  EXPECT_EQ(vocabulary.max_length, 131072);
}

TEST_F(TokenizerTest, TokenizerJsonComesFirst) {
  folder_.write("vocab.txt", "A\nC\nG\nT\nN");
  folder_.write("tokenizer.json",
                R"({"model": {"vocab": [["T", 0.0], ["G", 0.0], ["C", 0.0], ["A", 0.0],
                ["[UNK]", 0.0]]}})");
  EXPECT_EQ(read(caduceus_config(8)).dna.base_ids, (Bases{3, 2, 1, 0}));
}

TEST_F(TokenizerTest, TokensNamedByTheConfigAreFound) {
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 3, "?": 4, "#": 5, "-": 6})");
  folder_.write("tokenizer_config.json", R"({"mask_token": {"content": "#"}, "unk_token": "?",
      "pad_token": "-", "model_max_length": null})");
  const ModelVocabulary vocabulary = read(caduceus_config(8));
  EXPECT_EQ(vocabulary.dna.mask, 5);
  EXPECT_EQ(vocabulary.dna.unknown, 4);
  EXPECT_EQ(vocabulary.dna.n, 4);
  EXPECT_EQ(vocabulary.dna.pad, 6);
}

TEST_F(TokenizerTest, MissingSpecialTokensHaveStandIns) {
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 3, "N": 4})");
  const ModelVocabulary vocabulary = read(caduceus_config(8));
  EXPECT_TRUE(vocabulary.is_dna);
  EXPECT_EQ(vocabulary.dna.unknown, 4);
  EXPECT_EQ(vocabulary.dna.pad, 4);
  EXPECT_EQ(vocabulary.dna.mask, -1);
  EXPECT_FALSE(vocabulary.has_mask());
}

TEST_F(TokenizerTest, UpperCaseIsPreferredAndSaid) {
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 3, "N": 4, "a": 5, "c": 6, "g": 7,
      "t": 8})");
  const ModelVocabulary vocabulary = read(caduceus_config(16));
  EXPECT_EQ(vocabulary.dna.base_ids, (Bases{0, 1, 2, 3}));
  ASSERT_EQ(vocabulary.warnings.size(), 1u);
  EXPECT_NE(vocabulary.warnings[0].find("upper case"), std::string::npos);
}

TEST_F(TokenizerTest, OtherVocabulariesSayWhyTheyAreNotDna) {
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 3, "N": 4, "ACGTAC": 5})");
  expect_not_dna(caduceus_config(4096), "'ACGTAC'");
  folder_.write("vocab.json", R"({"x": 0, "y": 1, "A": 2, "C": 3, "G": 4})");
  expect_not_dna(caduceus_config(100), "lacks tokens");
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 3})");
  expect_not_dna(caduceus_config(8), "neither N nor [UNK]");
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 3, "N": 4})");
  folder_.write("merges.txt", "#version: 0.2\nT h\n");
  expect_not_dna(caduceus_config(50280), "several letters");
  folder_.write("tokenizer.json", R"({"model": {"vocab": {"A": 0, "C": 1, "G": 2, "T": 3, "N": 4},
      "merges": ["A T"]}})");
  expect_not_dna(caduceus_config(50280), "tokenizer.json");
}

TEST_F(TokenizerTest, IdsMustLieInTheEmbedding) {
  folder_.write("vocab.json",
                R"({"A": 0, "C": 1, "G": 2, "T": 8, "N": 4, "[MASK]": 9, "[UNK]": 5})");
  expect_refused(caduceus_config(8), {"token T", "id 8", "8 rows", "vocab.json"});
  expect_refused(caduceus_config(9), {"[MASK]", "id 9"});
  EXPECT_TRUE(read(caduceus_config(10)).is_dna);
  folder_.write("vocab.json", R"({"A": 0, "C": 1, "G": 2, "T": 2, "N": 4})");
  expect_refused(caduceus_config(8), {"share the token id 2"});
}

TEST_F(TokenizerTest, IdsMustFitTheComplementMap) {
  folder_.write("vocab.json", R"({"[PAD]": 0, "[MASK]": 1, "[UNK]": 2, "a": 3, "g": 4, "c": 5,
      "t": 6})");
  EXPECT_TRUE(read(caduceus_config(8, plant_map)).is_dna);
  folder_.write("vocab.json", R"({"[PAD]": 0, "[MASK]": 1, "[UNK]": 2, "a": 3, "t": 4, "g": 5,
      "c": 6})");
  expect_refused(caduceus_config(8, plant_map),
                 {"complement of A (id 3) is 6, expected 4", "vocab.json"});
}

TEST_F(TokenizerTest, MalformedFilesAreNamed) {
  const ModelConfig config = caduceus_config(16);
  folder_.write("vocab.json", R"({"A": -1})");
  expect_refused(config, {"vocab.json", "'A'", "-1"});
  folder_.write("vocab.json", R"({"A": 4294967296})");
  expect_refused(config, {"vocab.json", "4294967296"});
  folder_.write("vocab.json", "[]");
  expect_refused(config, {"vocab.json", "an object"});
  folder_.write("tokenizer.json", "{}");
  expect_refused(config, {"tokenizer.json", "'model' is missing"});
  folder_.write("tokenizer.json", R"({"model": {"vocab": [[]]}})");
  expect_refused(config, {"tokenizer.json", "model.vocab[0]", "[token, score]"});
  folder_.write("tokenizer.json", R"({"model": {"vocab": {}}, "added_tokens": [{"id": 1}]})");
  expect_refused(config, {"added_tokens[0]", "'content' is missing"});
  folder_.write("tokenizer_config.json", R"({"model_max_length": 0})");
  expect_refused(config, {"tokenizer_config.json", "model_max_length", "0"});
  folder_.write("tokenizer_config.json", R"({"model_max_length": "long"})");
  expect_refused(config, {"tokenizer_config.json", "a number"});
  folder_.write("tokenizer_config.json", "{");
  expect_refused(config, {"tokenizer_config.json", "expected JSON"});
}

}  // namespace
}  // namespace ssmgen::models
