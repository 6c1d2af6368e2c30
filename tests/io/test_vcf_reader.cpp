#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/vcf_reader.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;
using ssmgen::test::expect_error;
using Lines = std::vector<std::string>;

class VcfReaderTest : public testing::Test {
 protected:
  std::string write(std::string_view name, std::string_view content) const {
    return folder_.write(name, content).string();
  }
  // Reads a file and keeps what was warned about.
  Lines read(const std::string& path) {
    warnings_.clear();
    VcfReaderOptions options;
    options.path = path;
    options.on_warning = [this](const std::string& text) { warnings_.push_back(text); };
    return test::read_all(options);
  }
  bool warned(std::string_view part) const {
    for (const std::string& text : warnings_) {
      if (text.find(part) != std::string::npos) return true;
    }
    return false;
  }

  ssmgen::test::TemporaryFolder folder_;
  Lines warnings_;
};

TEST_F(VcfReaderTest, ReadsEveryContainerAlike) {
  const std::string text = test::small_header() + test::small_records(5000);
  const Lines plain = read(write("a.vcf", text));
  ASSERT_EQ(plain.size(), 5000U);
  EXPECT_EQ(plain.front(), "chr1:10:A:C,G");
  EXPECT_TRUE(warnings_.empty());
  EXPECT_EQ(read(write("a.vcf.gz", test::bgzip(text))), plain);
  EXPECT_EQ(read(write("b.vcf.gz", test::gzip(text))), plain);
  // The name says nothing, the content does; several gzip members are one file.
  const std::size_t half = text.find('\n', text.size() / 2);
  EXPECT_EQ(read(write("c", test::gzip(text.substr(0, half)) + test::gzip(text.substr(half)))),
            plain);
  SSMGEN_SKIP_WITHOUT("bcftools");
  for (const char* type : {"b", "u"}) {
    const std::string bcf = (folder_.path() / type).string();
    test::output_of(fmt::format("bcftools view -O{} -o '{}' '{}'", type, bcf,
                                (folder_.path() / "a.vcf").string()));
    EXPECT_EQ(read(bcf), plain);
  }
}

TEST_F(VcfReaderTest, ReadsStandardInput) {
  const std::string path =
      write("a.vcf.gz", test::bgzip(test::small_header() + test::small_records(100)));
  const int saved = dup(STDIN_FILENO);
  for (int round = 0; round < 2; ++round) {
    // A file, then a pipe: only the first can be searched.
    int input = open(path.c_str(), O_RDONLY);
    if (round == 1) {
      int ends[2];
      ASSERT_EQ(pipe(ends), 0);
      const std::string bytes = test::content_of(path);
      ASSERT_EQ(::write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
      close(ends[1]);
      close(input);
      input = ends[0];
    }
    dup2(input, STDIN_FILENO);
    close(input);
    VcfReader reader(VcfReaderOptions{});
    EXPECT_TRUE(reader.is_stdin());
    EXPECT_EQ(reader.path(), "standard input");
    VcfRecord record;
    std::int64_t count = 0;
    while (reader.read(record)) ++count;
    EXPECT_EQ(count, 100);
    EXPECT_EQ(reader.progress().bytes_total == -1, round == 1);
  }
  dup2(saved, STDIN_FILENO);
  close(saved);
}

TEST_F(VcfReaderTest, TellsWhatTheHeaderHolds) {
  const std::string path =
      write("a.vcf", test::small_header(2) + "chr1\t5\t.\tA\tC\t.\t.\tDP=1\tGT\t0/1\t1/1\n");
  VcfReader reader({.path = path});
  EXPECT_EQ(reader.declared_contigs(),
            (std::vector<genome::Contig>{{"chr1", 1'000'000}, {"chr2", -1}}));
  EXPECT_EQ(reader.samples(), (Lines{"S1", "S2"}));
  EXPECT_TRUE(reader.has_info("DP"));
  EXPECT_FALSE(reader.has_info("GT")) << "that is a FORMAT";
  EXPECT_FALSE(reader.has_info("PASS"));
  EXPECT_EQ(reader.header_lines().size(), 6U);
  EXPECT_FALSE(reader.is_bcf());
  EXPECT_FALSE(reader.index_summary().has_value());
}

TEST_F(VcfReaderTest, ReusesARecordAndReplacesOneMovedFrom) {
  VcfReader reader({.path = write("a.vcf", test::small_header() + test::small_records(3))});
  VcfRecord record;
  ASSERT_TRUE(reader.read(record));
  const VcfRecord kept = std::move(record);
  ASSERT_TRUE(reader.read(record));
  EXPECT_EQ(kept.position, 9);
  EXPECT_EQ(kept.record_number, 1);
  EXPECT_EQ(record.position, 19);
  EXPECT_EQ(record.record_number, 2);
  EXPECT_EQ(record.alts, (Lines{"C", "G"}));
}

TEST_F(VcfReaderTest, OddAllelesAndPlacesComeThrough) {
  const Lines records =
      read(write("a.vcf", test::small_header() + "chr1\t0\t.\tA\t.\t.\t.\t.\n"
                                                 "chr1\t5\t.\tac\t*,<DEL>,A]chr2:5],.A\t.\t.\t.\n"
                                                 "chr1\t6\t.\tN\tR\t.\t.\t.\n"
                                                 "chr1\t2000000\t.\t.\tA\t.\t.\t.\n"
                                                 "chr1\t4000000000\t.\tA\tC\t.\t.\t.\n"));
  EXPECT_EQ(records, (Lines{"chr1:0:A:", "chr1:5:ac:*,<DEL>,A]chr2:5],.A", "chr1:6:N:R",
                            "chr1:2000000:.:A", "chr1:4000000000:A:C"}));
}

TEST_F(VcfReaderTest, AFileWithoutColumnLineAndInfoIsReadWithOneWarningEach) {
  const Lines records = read(write("a.vcf",
                                   "##fileformat=VCFv4.2\n"
                                   "chr1\t10\tx\tA\tC\t.\t.\n"
                                   "chr1\t20\ty\tA\tG\t.\t.\n"));
  EXPECT_EQ(records, (Lines{"chr1:10:A:C", "chr1:20:A:G"}));
  EXPECT_EQ(warnings_.size(), 3U);
  EXPECT_TRUE(warned("no #CHROM line"));
  EXPECT_TRUE(warned("no INFO column"));
  EXPECT_TRUE(warned("'chr1' is not declared"));
}

TEST_F(VcfReaderTest, SamplesOfAFileWithoutColumnLineGetNumbers) {
  VcfReader reader({.path = write("a.vcf",
                                  "##fileformat=VCFv4.2\nchr1\t10\tx\tA\tC\t.\t.\t.\tGT\t"
                                  "0/0\t1/1\n")});
  EXPECT_EQ(reader.samples(), (Lines{"SAMPLE1", "SAMPLE2"}));
}

TEST_F(VcfReaderTest, UndeclaredTagsAreMentionedOnce) {
  const Lines records =
      read(write("a.vcf", test::small_header() + "chr1\t5\t.\tA\tC\t.\tq10\tXX=1;YY\n"
                                                 "chr9\t6\t.\tA\tC\t.\tq20\tZZ=1\n"));
  EXPECT_EQ(records.size(), 2U);
  EXPECT_EQ(warnings_.size(), 2U);
  EXPECT_TRUE(warned("'q10'"));
  EXPECT_TRUE(warned("'chr9'"));
}

TEST_F(VcfReaderTest, CarriageReturnsAndBlankLinesAreLeftOut) {
  std::string text = test::small_header() + test::small_records(3);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\r\n");
  }
  EXPECT_EQ(read(write("a.vcf", text)), (Lines{"chr1:10:A:C,G", "chr1:20:A:C,G", "chr1:30:A:C,G"}));
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_TRUE(warned("CR LF"));
  EXPECT_EQ(read(write("b.vcf", test::small_header() + test::small_records(2) + "\n\n")).size(),
            2U);
  EXPECT_EQ(warnings_.size(), 1U);
  EXPECT_TRUE(warned("blank"));
}

TEST_F(VcfReaderTest, HeadersInTheWild) {
  EXPECT_TRUE(read(write("none.vcf", test::small_header())).empty());
  EXPECT_TRUE(warnings_.empty());
  EXPECT_TRUE(read(write("bare.vcf", "##fileformat=VCFv4.2\n")).empty());
  const std::string text = test::small_header() + test::small_records(1);
  EXPECT_EQ(read(write("nofile.vcf", text.substr(text.find('\n') + 1))).size(), 1U);
  EXPECT_TRUE(warned("##fileformat"));
  std::string twice = text;
  twice.insert(text.find('\n') + 1, "##contig=<ID=chr1,length=1000000>\n");
  EXPECT_EQ(read(write("twice.vcf", twice)).size(), 1U);
}

TEST_F(VcfReaderTest, NoticesWhatIsNotSorted) {
  const auto sorted = [&](std::string_view records) {
    VcfReader reader({.path = write("s.vcf", test::small_header() + std::string(records))});
    VcfRecord record;
    while (reader.read(record)) {
    }
    return reader.sorted_so_far();
  };
  const std::string a5 = "chr1\t5\t.\tA\tC\t.\t.\t.\n";
  const std::string a6 = "chr1\t6\t.\tA\tC\t.\t.\t.\n";
  const std::string b1 = "chr2\t1\t.\tA\tC\t.\t.\t.\n";
  EXPECT_TRUE(sorted(a5 + a5 + a6 + b1));
  EXPECT_TRUE(sorted(b1 + a5));
  EXPECT_FALSE(sorted(a6 + a5));
  EXPECT_FALSE(sorted(a5 + b1 + a6));
}

TEST_F(VcfReaderTest, ProgressRunsToTheSizeOfTheFile) {
  for (const bool compressed : {false, true}) {
    const std::string text = test::small_header() + test::small_records(20000);
    const std::string path = write("p", compressed ? test::bgzip(text) : text);
    VcfReader reader({.path = path});
    EXPECT_EQ(reader.progress().bytes_total, static_cast<std::int64_t>(fs::file_size(path)));
    VcfRecord record;
    std::int64_t last = 0;
    while (reader.read(record)) {
      const std::int64_t now = reader.progress().bytes_read;
      ASSERT_GE(now, last);
      last = now;
    }
    EXPECT_GT(last, reader.progress().bytes_total - 100);
    EXPECT_LE(last, reader.progress().bytes_total);
    EXPECT_EQ(reader.records_read(), 20000);
  }
}

TEST_F(VcfReaderTest, IndexSummaryCountsRecords) {
  SSMGEN_SKIP_WITHOUT("bcftools");
  const std::string path = write(
      "a.vcf.gz",
      test::bgzip(test::small_header() + test::small_records(7) + "chr2\t5\t.\tA\tC\t.\t.\t.\n"));
  const std::string bcf = (folder_.path() / "a.bcf").string();
  test::output_of(fmt::format("bcftools view -Ob -o '{}' '{}'", bcf, path));
  for (const auto& [file, option] : {std::pair{path, "-c"}, {path, "-t"}, {bcf, "-c"}}) {
    fs::remove(path + ".csi");
    test::output_of(fmt::format("bcftools index -f {} '{}'", option, file));
    const auto summary = VcfReader({.path = file}).index_summary();
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(summary->contigs, (Lines{"chr1", "chr2"}));
    EXPECT_EQ(summary->record_counts, (std::vector<std::int64_t>{7, 1}));
    EXPECT_EQ(summary->record_count, 8);
  }
}

TEST_F(VcfReaderTest, OverlapNames) {
  EXPECT_EQ(parse_region_overlap("0"), RegionOverlap::position);
  EXPECT_EQ(parse_region_overlap("pos"), RegionOverlap::position);
  EXPECT_EQ(parse_region_overlap("record"), RegionOverlap::record);
  EXPECT_EQ(parse_region_overlap("1"), RegionOverlap::record);
  EXPECT_EQ(parse_region_overlap("2"), RegionOverlap::variant);
  EXPECT_EQ(parse_region_overlap("variant"), RegionOverlap::variant);
  expect_error<InvalidArgument>([] { parse_region_overlap("3"); }, {"variant", "'3'"});
}

}  // namespace
}  // namespace ssmgen::io
