#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <ssmgen/score.hpp>
#include <sstream>

#include "io/vcf_reader.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/memory_genome.hpp"

namespace ssmgen {
namespace {

const std::string data = std::string(SSMGEN_SOURCE_DIR) + "/test_data/";
const std::string fasta = data + "genome/demo.fa";
const std::string edge_cases = data + "variants/edge_cases.vcf";

// Keeps what it is told; stops the run after so many reports.
class Told : public ScoreObserver {
 public:
  void on_progress(const ScoreProgress& progress) override {
    last = progress;
    if (++reports == stop_after) throw InvalidArgument("stopped");
  }
  void on_note(const std::string& text) override { notes.push_back(text); }
  void on_warning(const std::string& text) override { warnings.push_back(text); }

  int stop_after = -1;
  int reports = 0;
  ScoreProgress last;
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
};

const Model& small_model() {
  static const Model model = Model::load(data + "golden/caduceus_ps");
  return model;
}

std::vector<Variant> variants_of(const std::string& path) {
  io::VcfReaderOptions options;
  options.path = path;
  io::VcfReader reader(options);
  io::VcfRecord record;
  std::vector<Variant> variants;
  while (reader.read(record)) {
    variants.push_back({record.contig, record.position, record.ref, record.alts});
  }
  return variants;
}

// The values of an INFO field, one for each ALT; "." where a record has none.
std::vector<std::string> info_values(const std::string& path, const std::string& key,
                                     const std::vector<Variant>& variants) {
  std::ifstream file(path);
  std::vector<std::string> values;
  std::size_t record = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> of_record(variants[record++].alts.size(), ".");
    const std::size_t at = line.find(key);
    if (at != std::string::npos) {
      std::istringstream text(
          line.substr(at + key.size(), line.find_first_of(";\t", at) - at - key.size()));
      for (std::string& value : of_record) std::getline(text, value, ',');
    }
    values.insert(values.end(), of_record.begin(), of_record.end());
  }
  return values;
}

VariantScores score(std::span<const Variant> variants, Genome& genome, Told& told,
                    const ScoreChoices& choices) {
  return score_variants(small_model(), variants, genome, choices, told);
}

ScoreChoices both_modes() {
  ScoreChoices choices;
  choices.modes = {ScoreMode::masked, ScoreMode::unmasked};
  choices.window_bases = 64;
  return choices;
}

TEST(ScoreVariants, GivesTheNumbersAndReasonsOfTheFile) {
  ScoreOptions options;
  static_cast<ScoreChoices&>(options) = both_modes();
  options.input = edge_cases;
  options.fasta = fasta;
  options.output = testing::TempDir() + "edge_cases.scored.vcf";
  Told of_file;
  const ScoreSummary expected = score_vcf(small_model(), options, of_file);

  test::MemoryGenome genome = test::MemoryGenome::of_fasta(fasta);
  Told told;
  const std::vector<Variant> variants = variants_of(edge_cases);
  const VariantScores found = score(variants, genome, told, both_modes());
  EXPECT_EQ(found.alleles, 48);
  EXPECT_EQ(found.values.size(), 96u);
  EXPECT_EQ(found.summary.records, expected.records);
  EXPECT_EQ(found.summary.scored_alleles, expected.scored_alleles);
  EXPECT_EQ(found.summary.unscored_by_reason, expected.unscored_by_reason);
  EXPECT_EQ(found.summary.ref_mismatches, 3);
  EXPECT_EQ(found.summary.windows, expected.windows);
  ASSERT_EQ(told.warnings.size(), of_file.warnings.size());
  EXPECT_EQ(told.warnings[0],
            "variants: record 19: REF at synth_main:1600 is A, but the sequences has T: unscored "
            "(ref_mismatch)");

  // Text has six digits of a score; that all 32 bits are the same is for the bindings' tests.
  std::vector<std::string> fields;
  for (const char* field : {"SSM_MASKED=", "SSM_UNMASKED=", "SSM_REASON="}) {
    const std::vector<std::string> of_field = info_values(options.output, field, variants);
    fields.insert(fields.end(), of_field.begin(), of_field.end());
  }
  ASSERT_EQ(fields.size(), 144u);
  for (std::size_t i = 0; i < 96; ++i) {
    EXPECT_EQ(std::isnan(found.values[i]), !found.reasons[i % 48].empty());
    EXPECT_EQ(std::isnan(found.values[i]), fields[i] == ".");
    if (fields[i] != ".") {
      EXPECT_NEAR(std::stod(fields[i]), found.values[i], 5e-6 * std::fabs(found.values[i]));
    }
  }
  for (std::size_t i = 0; i < 48; ++i) {
    EXPECT_EQ(found.reasons[i].empty() ? "." : found.reasons[i], fields[96 + i]);
  }
}

TEST(ScoreVariants, DoesNotDependOnBatchOrOrder) {
  std::unique_ptr<Genome> genome = open_fasta(fasta);
  std::vector<Variant> variants = variants_of(data + "variants/demo.vcf");
  variants.resize(60);
  Told told;
  const VariantScores expected = score(variants, *genome, told, both_modes());
  EXPECT_EQ(told.last.records_written, 60);
  std::reverse(variants.begin(), variants.end());
  ScoreChoices one_by_one = both_modes();
  one_by_one.batch_windows = 1;
  const VariantScores found = score(variants, *genome, told, one_by_one);
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(found.values[i], expected.values[59 - i]);
    EXPECT_EQ(found.values[60 + i], expected.values[119 - i]);
  }
}

TEST(ScoreVariants, EndsWithWhatTheObserverThrows) {
  std::unique_ptr<Genome> genome = open_fasta(fasta);
  Told told;
  told.stop_after = 2;
  ScoreChoices choices = both_modes();
  choices.batch_windows = 4;
  const std::vector<Variant> variants = variants_of(data + "variants/demo.vcf");
  test::expect_error<InvalidArgument>([&] { score(variants, *genome, told, choices); },
                                      {"stopped"});
  EXPECT_LT(told.last.records_written, 20);
}

TEST(ScoreVariants, NamesContigsThatGoByAnotherName) {
  test::MemoryGenome genome({{"1", std::string(200, 'A')}, {"2", std::string(200, 'C')}});
  Told told;
  const std::vector<Variant> variants{{"chr1", 99, "A", {"C", "G"}}, {"2", 5, "c", {"t"}}};
  const VariantScores found = score(variants, genome, told, both_modes());
  EXPECT_EQ(found.reasons, (std::vector<std::string>{"", "", ""}));
  EXPECT_EQ(told.notes, (std::vector<std::string>{"variants: contig chr1 is 1 of the sequences"}));
}

TEST(ScoreVariants, AsksWhetherItIsTheWrongReference) {
  test::MemoryGenome genome({{"1", std::string(200, 'A')}});
  Told told;
  const std::vector<Variant> elsewhere{{"chrX", 9, "A", {"C"}}};
  test::expect_error<FormatError>([&] { score(elsewhere, genome, told, both_modes()); },
                                  {"wrong reference?", "chrX", "the sequences"});
  std::vector<Variant> other;
  for (std::int64_t i = 0; i < 20; ++i) other.push_back({"1", i, i < 9 ? "A" : "C", {"G"}});
  test::expect_error<FormatError>([&] { score(other, genome, told, both_modes()); },
                                  {"wrong reference?", "11 of the first 20"});
}

TEST(ScoreVariants, RefusesWindowsThatFitNowhereBeforeItReadsAny) {
  class Unread : public test::MemoryGenome {
   public:
    using MemoryGenome::MemoryGenome;
    void fetch(std::int64_t contig, std::int64_t begin, std::int64_t end,
               std::string& letters) override {
      ++fetches;
      MemoryGenome::fetch(contig, begin, end, letters);
    }
    int fetches = 0;
  };
  Unread genome(std::vector<std::pair<std::string, std::string>>{{"1", std::string(200, 'A')}});
  Told told;
  ScoreChoices choices = both_modes();
  choices.window_bases = std::int64_t{1} << 32;
  const std::vector<Variant> variants{{"1", 99, "A", {"C"}}};
  test::expect_error<DeviceError>([&] { score(variants, genome, told, choices); },
                                  {"4294967296 bases", "--scratch"});
  EXPECT_EQ(genome.fetches, 0);
}

TEST(ScoreVariants, TakesNoVariantsToo) {
  test::MemoryGenome genome(std::vector<std::pair<std::string, std::string>>{{"1", "ACGT"}});
  Told told;
  const VariantScores found = score({}, genome, told, both_modes());
  EXPECT_EQ(found.alleles, 0);
  EXPECT_EQ(found.modes.size(), 2u);
  EXPECT_TRUE(found.values.empty());
}

}  // namespace
}  // namespace ssmgen
