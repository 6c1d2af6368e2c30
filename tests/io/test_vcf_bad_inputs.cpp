// Every way a file can be cut or broken: an error that says so, and how many records came before.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;

class VcfBadInputsTest : public testing::Test {
 protected:
  // Expects a FormatError from opening or reading these bytes, with threads and without.
  void refuse(std::string_view bytes, std::initializer_list<std::string_view> parts) const {
    const std::string path = folder_.write("bad", bytes).string();
    const HtsThreads pool(2);
    for (const HtsThreads* threads : {static_cast<const HtsThreads*>(nullptr), &pool}) {
      VcfReaderOptions options;
      options.path = path;
      options.threads = threads;
      expect_error([&] { test::read_all(options); }, parts);
      expect_error([&] { test::read_all(options); }, {path});
    }
  }

  // The same for a stream, whose end cannot be looked at first.
  void refuse_stream(std::string_view bytes, std::initializer_list<std::string_view> parts) const {
    const std::string path = folder_.write("bad", bytes).string();
    const int saved = dup(STDIN_FILENO);
    FILE* pipe = popen(fmt::format("cat '{}'", path).c_str(), "r");
    dup2(fileno(pipe), STDIN_FILENO);
    expect_error([&] { test::read_all(VcfReaderOptions{}); }, parts);
    expect_error([&] { test::read_all(VcfReaderOptions{}); }, {"standard input"});
    dup2(saved, STDIN_FILENO);
    close(saved);
    pclose(pipe);
  }

  std::string text_ = test::small_header() + test::small_records(20000);
  ssmgen::test::TemporaryFolder folder_;
};

TEST_F(VcfBadInputsTest, FilesThatAreNoVcf) {
  expect_error([&] { test::read_all(folder_.path() / "absent"); }, {"absent", "No such file"});
  expect_error([&] { test::read_all(folder_.path()); }, {"directory"});
  refuse("", {"empty"});
  refuse(test::bgzip(""), {"holds nothing"});
  refuse("hello\n", {"not VCF or BCF", "hello"});
  refuse(">chr1\nACGT\n", {"not VCF or BCF"});
  refuse("chr1\t1\t.\tA\tC\t.\t.\t.\n", {"not VCF or BCF", "##fileformat"});
  refuse("##fileformat=VCFv4.2\n#CHROM POS ID REF ALT QUAL FILTER INFO\n", {"separated by tabs"});
}

TEST_F(VcfBadInputsTest, BgzipTruncatedAtThreePlaces) {
  const std::string whole = test::bgzip(text_);
  // Inside a block, between two blocks, and only the end marker missing.
  const std::size_t second_block = static_cast<std::size_t>(static_cast<unsigned char>(whole[16])) +
                                   256U * static_cast<unsigned char>(whole[17]) + 1;
  ASSERT_LT(second_block, whole.size() / 2);
  for (const std::size_t kept :
       {whole.size() / 2, second_block, whole.size() - 28, whole.size() - 1, std::size_t{20}}) {
    refuse(whole.substr(0, kept), {"truncated", "end marker", "0 records were read", "again"});
  }
}

TEST_F(VcfBadInputsTest, BrokenBlockNamesTheRecordsReadBefore) {
  std::string broken = test::bgzip(text_);
  for (std::size_t i = 0; i < 200; ++i) broken[broken.size() / 2 + i] = 'x';
  refuse(broken, {"damaged", "records were read before", "checksum"});
  // The records of the blocks before the broken one all came.
  VcfReader reader({.path = (folder_.path() / "bad").string()});
  VcfRecord record;
  std::int64_t count = 0;
  try {
    while (reader.read(record)) ++count;
    FAIL() << "no error";
  } catch (const FormatError& error) {
    EXPECT_GT(count, 5000);
    EXPECT_NE(std::string(error.what()).find(fmt::format("{} records", count)), std::string::npos)
        << error.what();
  }
  std::string cut_header = test::bgzip(text_);
  cut_header.erase(cut_header.size() / 2, 3);
  refuse(cut_header, {"damaged"});
}

TEST_F(VcfBadInputsTest, StreamsCutAnywhere) {
  const std::string whole = test::bgzip(text_);
  refuse_stream(whole.substr(0, whole.size() - 28), {"truncated", "20000 records were read"});
  refuse_stream(whole.substr(0, whole.size() / 2), {"truncated", "records were read before"});
  refuse_stream(text_.substr(0, text_.size() - 10), {"cut line", "record 20000", "19999 records"});
}

TEST_F(VcfBadInputsTest, PlainGzipCutAnywhere) {
  const std::string whole = test::gzip(text_);
  for (const std::size_t kept : {whole.size() / 2, whole.size() - 8, whole.size() - 1}) {
    refuse(whole.substr(0, kept), {"truncated", "gzip stream ends", "records were read before"});
  }
  std::string broken = whole;
  for (std::size_t i = 0; i < 50; ++i) broken[broken.size() / 2 + i] = 'x';
  // zlib may find it only by the sum at the end: then the records look damaged first.
  refuse(broken, {"checksum"});
  refuse(whole + "rubbish", {"gzip"});
  // Zeros behind the end are padding of tapes.
  folder_.write("padded", whole + std::string(1000, '\0'));
  EXPECT_EQ(test::read_all(folder_.path() / "padded").size(), 20000U);
}

TEST_F(VcfBadInputsTest, PlainTextCutAnywhere) {
  const std::string small = test::small_header() + test::small_records(3);
  const std::size_t header = test::small_header().size();
  for (std::size_t kept = 1; kept < small.size(); ++kept) {
    const std::string cut = small.substr(0, kept);
    folder_.write("cut", cut);
    if (cut.back() == '\n' && kept >= header) continue;
    const std::string& inside_header = "##fileformat=VCFv4.2\n";
    // A cut at a line's end inside the header leaves a header without #CHROM line: 0 records.
    if (cut.back() == '\n' && kept >= inside_header.size()) continue;
    EXPECT_THROW(test::read_all(folder_.path() / "cut"), FormatError) << kept;
  }
  refuse(small.substr(0, small.size() - 1), {"cut line", "record 3", "2 records were read before"});
  refuse(small.substr(0, small.size() - 8) + "\n", {"cut line", "record 3", "8 columns"});
  refuse(small + "chr1\t40\t.\tA\n", {"cut line", "record 4", "8 columns", "got 4"});
  refuse(small.substr(0, header - 5), {"truncated", "header"});
}

TEST_F(VcfBadInputsTest, BcfCutAnywhere) {
  SSMGEN_SKIP_WITHOUT("bcftools");
  const std::string vcf = folder_.write("a.vcf", text_).string();
  const std::string bcf = test::output_of(fmt::format("bcftools view -Ob '{}'", vcf));
  refuse(bcf.substr(0, bcf.size() - 28), {"truncated", "end marker"});
  refuse(bcf.substr(0, bcf.size() / 2), {"truncated"});
  const std::string raw = test::output_of(fmt::format("bcftools view -Ou '{}'", vcf));
  refuse(raw.substr(0, raw.size() - 7), {"BCF record is cut", "19999 records were read"});
  refuse(raw.substr(0, 100), {"BCF header"});
  std::string broken = bcf;
  for (std::size_t i = 0; i < 200; ++i) broken[broken.size() / 2 + i] = 'x';
  refuse(broken, {"damaged", "records were read before"});
  refuse_stream(bcf.substr(0, bcf.size() - 28), {"truncated", "20000 records were read"});
}

TEST_F(VcfBadInputsTest, MalformedRecordsAreNamed) {
  const auto with = [&](std::string_view line) {
    return test::small_header() + test::small_records(1) + std::string(line) + "\n";
  };
  refuse(with("chr1\tx\t.\tA\tC\t.\t.\t."), {"record 2", "POS", "'x'"});
  refuse(with("chr1\t-5\t.\tA\tC\t.\t.\t."), {"record 2", "POS", "'-5'"});
  refuse(with("chr1\t\t.\tA\tC\t.\t.\t."), {"record 2", "POS"});
  refuse(with("chr1\t99999999999999999999\t.\tA\tC\t.\t.\t."), {"record 2", "POS"});
  refuse(with("chr1\t5\t.\t\tC\t.\t.\t."), {"record 2", "REF"});
  refuse(with("chr1\t5\t.\tA\t\t.\t.\t."), {"record 2", "ALT"});
  refuse(with("\t5\t.\tA\tC\t.\t.\t."), {"record 2", "CHROM"});
  refuse(with("chr1 5 . A C . . ."), {"record 2", "tabs"});
  refuse(with("chr1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1"), {"record 2", "8 columns", "got 10"});
  refuse(with("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"), {"record 2", "header line"});
  refuse(with(std::string("chr1\t5\t.\tA\0G\tC\t.\t.\t.", 21)), {"record 2", "zero byte"});
}

TEST_F(VcfBadInputsTest, RandomDamageNeverCrashes) {
  std::mt19937 random(11);
  const std::string base = test::small_header(2) +
                           "chr1\t5\trs1\tA\tC,G\t50\tPASS\tDP=5;END=9\tGT\t0/1\t1/1\n"
                           "chr2\t7\t.\tAT\t<DEL>\t.\t.\tDP=.\tGT\t./.\t0|1\n";
  int read = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string text = base;
    for (unsigned i = 0; i <= random() % 4; ++i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, 1 + random() % 3, "\t;=,.:<>0\n"[random() % 10]);
      }
    }
    folder_.write("fuzz", text);
    try {
      read += static_cast<int>(test::read_all(folder_.path() / "fuzz").size());
    } catch (const Error&) {
    }
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace ssmgen::io
