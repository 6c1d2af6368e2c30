#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <ssmgen/embed.hpp>

#include "tests/support/expect_error.hpp"
#include "tests/support/memory_genome.hpp"

namespace ssmgen {
namespace {

const std::string data = std::string(SSMGEN_SOURCE_DIR) + "/test_data/";

const Model& small_model() {
  static const Model model = Model::load(data + "golden/caduceus_ps");
  return model;
}

// Bits, so that NaN is equal to NaN.
std::vector<std::uint32_t> bits(std::span<const float> values) {
  std::vector<std::uint32_t> result;
  for (const float value : values) result.push_back(std::bit_cast<std::uint32_t>(value));
  return result;
}

std::vector<std::uint32_t> of_region(const BaseScores& scores, std::size_t region) {
  const auto begin = static_cast<std::size_t>(scores.first_values[region]);
  const auto end = static_cast<std::size_t>(scores.first_values[region + 1]);
  return bits(std::span(scores.values).subspan(begin, end - begin));
}

TEST(ScoreBases, IsTheModelsPredictionOfABase) {
  const std::string letters = "ATGAAACGCATTAGCNACC";
  test::MemoryGenome genome({{"c", letters}});
  TrackChoices choices;
  choices.score = TrackScore::logp;
  const std::vector<GenomeRegion> whole{{"c", 0, 19}};
  const BaseScores found = score_bases(small_model(), genome, whole, choices);
  const std::vector<std::int32_t> ids = small_model().encode(letters);
  const ForwardResult result = small_model().forward(ids, 1, 19);
  const std::vector<std::int32_t> bases = small_model().encode("ACGT");
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (letters[i] == 'N') {
      EXPECT_TRUE(std::isnan(found.values[i]));
      continue;
    }
    const auto logit = [&](std::int32_t id) {
      const auto width = static_cast<std::size_t>(small_model().info().vocabulary);
      return static_cast<double>(result.logits[i * width + static_cast<std::size_t>(id)]);
    };
    double sum = 0;
    for (const std::int32_t id : bases) sum += std::exp(logit(id));
    EXPECT_NEAR(found.values[i], logit(ids[i]) - std::log(sum), 1e-5);
  }
}

TEST(ScoreBases, GivesARegionTheNumbersOfTheWholeContig) {
  std::unique_ptr<Genome> genome = open_fasta(data + "genome/demo.fa");
  const std::vector<GenomeRegion> regions{{"synth_odd", 700, 1300},   {"synth_main", 3000, 3600},
                                          {"synth_main", 3500, 3501}, {"synth_main", 3100, 5200},
                                          {"synth_main", 90, 90},     {"synth_short", 0, 300}};
  for (const char* score : {"entropy", "logp", "channel:3"}) {
    TrackChoices choices;
    parse_track_score(score, choices);
    choices.settings.window_bases = 256;
    const std::vector<GenomeRegion> contigs{
        {"synth_main", 0, 6000}, {"synth_short", 0, 300}, {"synth_odd", 0, 1300}};
    const BaseScores whole = score_bases(small_model(), *genome, contigs, choices);
    const BaseScores found = score_bases(small_model(), *genome, regions, choices);
    ASSERT_EQ(found.first_values,
              (std::vector<std::int64_t>{0, 600, 1200, 1201, 3301, 3301, 3601}));
    for (std::size_t i = 0; i < regions.size(); ++i) {
      const std::size_t contig = regions[i].contig == "synth_main"    ? 0
                                 : regions[i].contig == "synth_short" ? 1
                                                                      : 2;
      const std::vector<std::uint32_t> all = of_region(whole, contig);
      EXPECT_EQ(of_region(found, i),
                std::vector(all.begin() + regions[i].begin, all.begin() + regions[i].end))
          << score << " of region " << i;
    }
  }
}

TEST(ScoreBases, TellsHowFarItIsAndStops) {
  std::unique_ptr<Genome> genome = open_fasta(data + "genome/demo.fa");
  const std::vector<GenomeRegion> whole{{"synth_main", 0, 48000}};
  TrackChoices choices;
  choices.settings.window_bases = 512;
  EmbedProgress last;
  score_bases(small_model(), *genome, std::vector<GenomeRegion>{{"synth_main", 0, 2000}}, choices,
              [&](const EmbedProgress& progress) { last = progress; });
  EXPECT_EQ(last.bases, last.bases_total);
  EXPECT_GE(last.bases, 2000);
  EXPECT_EQ(last.records, 1);
  test::expect_error<DeviceError>(
      [&] {
        score_bases(small_model(), *genome, whole, choices, [](const EmbedProgress& progress) {
          if (progress.bases > 0) throw DeviceError("enough");
        });
      },
      {"enough"});
}

TEST(ScoreBases, NamesTheRegionThatIsNotThere) {
  test::MemoryGenome genome(std::vector<std::pair<std::string, std::string>>{{"c", "ACGT"}});
  const auto score = [&](const GenomeRegion& region) {
    score_bases(small_model(), genome, std::vector<GenomeRegion>{{"c", 0, 1}, region});
  };
  test::expect_error<InvalidArgument>([&] { score({"d", 0, 1}); }, {"region 2", "contig d"});
  test::expect_error<InvalidArgument>([&] { score({"c", 2, 5}); }, {"region 2: c:3-5", "4 bases"});
  test::expect_error<InvalidArgument>([&] { score({"c", -1, 2}); }, {"region 2"});
  test::expect_error<InvalidArgument>([&] { score({"c", 3, 2}); }, {"region 2"});
}

}  // namespace
}  // namespace ssmgen
