// -r, -R, -t and -T against bcftools on the same file.

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;
using Lines = std::vector<std::string>;

// SNVs, insertions, long deletions, symbolic ones with END, over two contigs.
std::string mixed_records() {
  std::mt19937 random(5);
  std::string text;
  for (const char* contig : {"chr1", "chr2"}) {
    int position = 0;
    for (int i = 0; i < 3000; ++i) {
      position += static_cast<int>(random() % 40);
      std::string ref = "A";
      std::string alt = "C";
      std::string info = fmt::format("DP={}", i);
      switch (random() % 6) {
        case 0:
          alt = "AG";
          break;
        case 1:
          ref = "A" + std::string(1 + random() % 60, 'T');
          alt = "A";
          break;
        case 2:
          ref = "ACGT";
          alt = "ACG,ACGA";
          break;
        case 3:
          alt = "<DEL>";
          info += fmt::format(";END={}", position + 1 + static_cast<int>(random() % 3000));
          break;
        default:
          break;
      }
      text += fmt::format("{}\t{}\t.\t{}\t{}\t.\t.\t{}\n", contig, position + 1, ref, alt, info);
    }
  }
  return text;
}

class VcfRegionsTest : public testing::Test {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT("bcftools");
    vcf_ = folder_.write("a.vcf.gz", test::bgzip(test::small_header() + mixed_records())).string();
    bcf_ = (folder_.path() / "a.bcf").string();
    test::output_of(fmt::format("bcftools view -Ob -o '{}' '{}'", bcf_, vcf_));
    test::output_of(fmt::format("bcftools index -t '{}' && bcftools index '{}'", vcf_, bcf_));
  }

  static Lines bcftools(const std::string& arguments, const std::string& path) {
    // Not `bcftools query`: it does not read INFO/END, so that it takes symbolic alleles for short.
    const std::string out = test::output_of(
        fmt::format("bcftools view -H {} '{}' | cut -f 1,2,4,5 | tr '\\t' ':'", arguments, path));
    Lines lines = test::split(out, '\n');
    lines.pop_back();
    return lines;
  }

  ssmgen::test::TemporaryFolder folder_;
  std::string vcf_;
  std::string bcf_;
};

TEST_F(VcfRegionsTest, RegionsAsBcftools) {
  for (const std::string& path : {vcf_, bcf_}) {
    for (const char* regions :
         {"chr1", "chr2:1000-2000", "chr1:5000", "chr1:100-200,chr1:150-300,chr1:301-310,chr2:7-9",
          "chr1:50000-", "chr1:1-10,chr2", "chr2:200-210,chr2:30000-30100"}) {
      for (const char* overlap : {"pos", "record", "variant"}) {
        VcfReaderOptions options;
        options.path = path;
        options.regions = regions;
        options.regions_overlap = parse_region_overlap(overlap);
        const Lines expected =
            bcftools(fmt::format("-r {} --regions-overlap {}", regions, overlap), path);
        EXPECT_EQ(test::read_all(options), expected) << regions << " " << overlap << " " << path;
      }
    }
  }
}

TEST_F(VcfRegionsTest, RegionsComeInFileOrderEachOnce) {
  VcfReaderOptions options;
  options.path = vcf_;
  options.regions = "chr2:1-500,chr1:1-500,chr1:400-900,chr1:1-500";
  Lines expected = bcftools("-r chr1:1-900", vcf_);
  const Lines rest = bcftools("-r chr2:1-500", vcf_);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(test::read_all(options), expected);
}

TEST_F(VcfRegionsTest, ThreadsChangeNothing) {
  const HtsThreads threads(2);
  for (const std::string& path : {vcf_, bcf_}) {
    VcfReaderOptions options;
    options.path = path;
    options.regions = "chr1:100-200,chr1:20000-30000,chr2:5-700";
    const Lines alone = test::read_all(options);
    options.threads = &threads;
    EXPECT_EQ(test::read_all(options), alone);
  }
}

TEST_F(VcfRegionsTest, RegionsFilesAsBcftools) {
  const std::string bed =
      folder_.write("r.bed", "chr1\t100\t400\nchr1\t900\t950\nchr2\t0\t77\n").string();
  const std::string table = folder_.write("r.txt", "chr1\t100\t400\nchr2\t3000\t3100\n").string();
  const std::string places = folder_.write("p.txt", "chr1\t135\nchr1\t251\n").string();
  for (const std::string& file : {bed, table, places}) {
    VcfReaderOptions options;
    options.path = vcf_;
    options.regions_file = file;
    EXPECT_EQ(test::read_all(options), bcftools("-R " + file, vcf_));
    VcfReaderOptions targets;
    targets.path = vcf_;
    targets.targets_file = file;
    EXPECT_EQ(test::read_all(targets), bcftools("-T " + file, vcf_));
    targets.targets_file = "^" + file;
    EXPECT_EQ(test::read_all(targets), bcftools("-T ^" + file, vcf_));
  }
}

TEST_F(VcfRegionsTest, TargetsAsBcftools) {
  for (const std::string& path : {vcf_, bcf_}) {
    for (const char* targets :
         {"chr2", "chr1:100-2000,chr2:55-80", "^chr1", "^chr1:100-50000,chr2"}) {
      for (const char* overlap : {"0", "1", "2"}) {
        VcfReaderOptions options;
        options.path = path;
        options.targets = targets;
        options.targets_overlap = parse_region_overlap(overlap);
        EXPECT_EQ(test::read_all(options),
                  bcftools(fmt::format("-t {} --targets-overlap {}", targets, overlap), path))
            << targets << " " << overlap;
      }
    }
  }
}

TEST_F(VcfRegionsTest, TargetsAndRegionsTogether) {
  VcfReaderOptions options;
  options.path = vcf_;
  options.regions = "chr1:1-5000";
  options.targets = "^chr1:1000-4000";
  EXPECT_EQ(test::read_all(options), bcftools("-r chr1:1-5000 -t ^chr1:1000-4000", vcf_));
}

TEST_F(VcfRegionsTest, TargetsStreamAndNeedNoIndex) {
  const std::string plain = folder_.write("p.vcf", test::small_header() + mixed_records()).string();
  VcfReaderOptions options;
  options.path = plain;
  options.targets = "chr2:1-3000";
  EXPECT_EQ(test::read_all(options), bcftools("-t chr2:1-3000", plain));
}

TEST_F(VcfRegionsTest, AContigThatIsNotThereIsMentioned) {
  Lines warnings;
  VcfReaderOptions options;
  options.path = vcf_;
  options.regions = "1:1-100,2";
  options.on_warning = [&](const std::string& text) { warnings.push_back(text); };
  EXPECT_TRUE(test::read_all(options).empty());
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("no contig '1'"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("1 more"), std::string::npos) << warnings[0];
}

TEST_F(VcfRegionsTest, AnIndexOlderThanItsFileIsMentioned) {
  namespace fs = std::filesystem;
  const fs::path index = vcf_ + ".tbi";
  fs::last_write_time(index, fs::last_write_time(vcf_) - std::chrono::hours(1));
  Lines warnings;
  VcfReaderOptions options;
  options.path = vcf_;
  options.regions = "chr1:1-100";
  options.on_warning = [&](const std::string& text) { warnings.push_back(text); };
  EXPECT_FALSE(test::read_all(options).empty());
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("a.vcf.gz.tbi: older than"), std::string::npos) << warnings[0];
}

TEST_F(VcfRegionsTest, RegionsWithoutIndexSayHowToMakeOne) {
  const auto read = [](const std::string& path, const std::string& regions) {
    VcfReaderOptions options;
    options.path = path;
    options.regions = regions;
    VcfReader reader(options);
  };
  const std::string bare = folder_.write("b.vcf.gz", test::content_of(vcf_)).string();
  expect_error([&] { read(bare, "chr1"); },
               {"need an index", "there is none", "bcftools index -f '" + bare + "'"});
  folder_.write("b.vcf.gz.tbi", "not an index");
  expect_error([&] { read(bare, "chr1"); }, {"b.vcf.gz.tbi cannot be read"});
  const std::string plain = folder_.write("c.vcf", test::small_header()).string();
  expect_error([&] { read(plain, "chr1"); }, {"bgzip '" + plain + "'"});
  expect_error<InvalidArgument>([&] { read(vcf_, "chr1:x"); }, {"-r", "chr1:x"});
}

TEST_F(VcfRegionsTest, OptionsThatCannotGoTogether) {
  VcfReaderOptions options;
  options.path = vcf_;
  options.regions = "chr1";
  options.regions_file = vcf_;
  expect_error<InvalidArgument>([&] { VcfReader reader(options); }, {"-r and -R"});
  options = {};
  options.path = vcf_;
  options.targets = "chr1";
  options.targets_file = vcf_;
  expect_error<InvalidArgument>([&] { VcfReader reader(options); }, {"-t and -T"});
}

}  // namespace
}  // namespace ssmgen::io
