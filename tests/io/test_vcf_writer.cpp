#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

#include "io/vcf_writer.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;
using ssmgen::test::expect_error;
using Lines = std::vector<std::string>;

class VcfWriterTest : public testing::Test {
 protected:
  std::string write(std::string_view name, std::string_view content) const {
    return folder_.write(name, content).string();
  }
  std::string at(std::string_view name) const { return (folder_.path() / name).string(); }
  VcfWriterOptions to(std::string_view name) const {
    VcfWriterOptions options;
    options.path = at(name);
    options.format = choose_vcf_format("", name);
    return options;
  }
  // The record lines of a text file with SCORE and WHY added to each.
  Lines scored(std::string_view records, const test::FieldsOf& fields) const {
    VcfWriterOptions out = to("scored.vcf");
    out.header_lines = test::score_header_lines();
    test::copy_records({.path = write("in.vcf", test::small_header() + std::string(records))}, out,
                       fields);
    return test::record_lines(test::content_of(out.path));
  }

  ssmgen::test::TemporaryFolder folder_;
};

TEST(VcfFormat, OptionOrSuffixDecides) {
  using enum VcfOutputType;
  EXPECT_EQ(choose_vcf_format("", "a.vcf"), (VcfOutputFormat{vcf, -1}));
  EXPECT_EQ(choose_vcf_format("", "a.vcf.gz"), (VcfOutputFormat{vcf_bgzip, -1}));
  EXPECT_EQ(choose_vcf_format("", "a.vcf.bgz"), (VcfOutputFormat{vcf_bgzip, -1}));
  EXPECT_EQ(choose_vcf_format("", "a.bcf"), (VcfOutputFormat{bcf, -1}));
  EXPECT_EQ(choose_vcf_format("", "-"), (VcfOutputFormat{vcf, -1}));
  EXPECT_EQ(choose_vcf_format("z9", "a.bcf"), (VcfOutputFormat{vcf_bgzip, 9}));
  EXPECT_EQ(choose_vcf_format("b0", "-"), (VcfOutputFormat{bcf, 0}));
  EXPECT_EQ(choose_vcf_format("u", "a.vcf"), (VcfOutputFormat{bcf_uncompressed, -1}));
  for (const char* bad : {"x", "z10", "9", "zz", "z-"}) {
    expect_error<InvalidArgument>([&] { choose_vcf_format(bad, "-"); }, {"output type", bad});
  }
}

TEST_F(VcfWriterTest, WithoutFieldsTextIsTheInputsBytes) {
  const std::string text = test::small_header(2) +
                           "chr1\t5\tx\tac\tT,*\t1e3\tPASS\tDP=1;;X\tGT:DP\t0/1:.\t1|1 :7\n"
                           "chr1\t0\t.\tN\t.\t00.10\t.\t.\t.\t.\t./.\n";
  EXPECT_EQ(test::copy_records({.path = write("in.vcf", text)}, to("out.vcf")), 2);
  EXPECT_EQ(test::content_of(at("out.vcf")), text);
  EXPECT_FALSE(fs::exists(at("out.vcf.part")));
}

TEST_F(VcfWriterTest, HeaderLinesGoBeforeTheColumns) {
  VcfWriterOptions out = to("out.vcf");
  out.header_lines = test::score_header_lines();
  out.contigs = {{"chr1", 5}, {"chrM", 16569}};
  test::copy_records({.path = write("in.vcf", test::small_header(1))}, out);
  const std::string expected = test::small_header(1);
  const std::size_t columns = expected.find("#CHROM");
  EXPECT_EQ(test::content_of(out.path),
            expected.substr(0, columns) + "##contig=<ID=chrM,length=16569>\n" +
                test::score_header_lines()[0] + "\n" + test::score_header_lines()[1] + "\n" +
                test::score_header_lines()[2] + "\n" + expected.substr(columns));
}

TEST_F(VcfWriterTest, FieldsAreSplicedIntoInfo) {
  const float missing = std::numeric_limits<float>::quiet_NaN();
  const auto fields = [&](const VcfRecord&) -> std::vector<InfoField> {
    return {{"SCORE", std::vector<float>{-0.123456789F, missing}},
            {"WHY", std::vector<std::string>{"", "star"}}};
  };
  EXPECT_EQ(scored("chr1\t5\t.\tA\tC,*\t.\t.\t.\n"
                   "chr1\t6\t.\tA\tC,*\t.\t.\tDP=3\n"
                   "chr1\t7\t.\tA\tC,*\t.\t.\tSCORE=9,9;DP=3;WHY\n"
                   "chr1\t8\t.\tA\tC,*\t.\t.\tXSCORE=9;WHYX=3\n"
                   "chr1\t9\t.\tA\tC,*\t.\t.\tSCORE=1,1\n",
                   fields),
            (Lines{"chr1\t5\t.\tA\tC,*\t.\t.\tSCORE=-0.123457,.;WHY=.,star",
                   "chr1\t6\t.\tA\tC,*\t.\t.\tDP=3;SCORE=-0.123457,.;WHY=.,star",
                   "chr1\t7\t.\tA\tC,*\t.\t.\tDP=3;SCORE=-0.123457,.;WHY=.,star",
                   "chr1\t8\t.\tA\tC,*\t.\t.\tXSCORE=9;WHYX=3;SCORE=-0.123457,.;WHY=.,star",
                   "chr1\t9\t.\tA\tC,*\t.\t.\tSCORE=-0.123457,.;WHY=.,star"}));
}

TEST_F(VcfWriterTest, AFieldWithoutValuesIsLeftOut) {
  const auto none = [](const VcfRecord&) -> std::vector<InfoField> {
    return {{"SCORE", std::vector<float>{}}, {"WHY", std::vector<std::string>{}}};
  };
  EXPECT_EQ(scored("chr1\t5\t.\tA\t.\t.\t.\t.\nchr1\t6\t.\tA\t.\t.\t.\tSCORE=1;DP=1\n", none),
            (Lines{"chr1\t5\t.\tA\t.\t.\t.\t.", "chr1\t6\t.\tA\t.\t.\t.\tDP=1"}));
}

TEST_F(VcfWriterTest, RefusesWhatInfoCannotHold) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::string record = "chr1\t5\t.\tA\tC\t.\t.\t.\n";
  const auto with = [&](InfoField field) {
    scored(record, [&](const VcfRecord&) { return std::vector<InfoField>{field}; });
  };
  expect_error<InvalidArgument>(
      [&] {
        with({"SCORE", std::vector<float>{-infinity}});
      },
      {"record 1 (chr1:5)", "INFO/SCORE", "infinity"});
  for (const char* text : {"a b", "a;b", "a,b", "a=b", "a\tb"}) {
    expect_error<InvalidArgument>(
        [&] {
          with({"WHY", std::vector<std::string>{text}});
        },
        {"INFO/WHY", text});
  }
}

TEST_F(VcfWriterTest, AFileWithoutInfoColumnGetsOne) {
  VcfWriterOptions out = to("out.vcf");
  out.header_lines = test::score_header_lines();
  test::copy_records({.path = write("in.vcf", "##fileformat=VCFv4.2\nchr1\t10\tx\tA\tC\t.\t.\n")},
                     out, test::score_fields);
  const std::string text = test::content_of(out.path);
  EXPECT_NE(text.find("\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"), std::string::npos);
  EXPECT_EQ(test::record_lines(text).at(0), "chr1\t10\tx\tA\tC\t.\t.\tSCORE=.;WHY=star");
  out = to("plain.vcf");
  test::copy_records({.path = at("in.vcf")}, out);
  EXPECT_EQ(test::record_lines(test::content_of(out.path)).at(0), "chr1\t10\tx\tA\tC\t.\t.\t.");
}

TEST_F(VcfWriterTest, OnlyCloseGivesTheFileItsName) {
  const std::string input =
      write("in.vcf.gz", test::bgzip(test::small_header() + test::small_records(5000)));
  const HtsThreads threads(2);
  for (const char* name : {"o.vcf", "o.vcf.gz", "o.bcf"}) {
    write(name, "old");
    {
      VcfReader reader({.path = input});
      VcfWriterOptions out = to(name);
      out.threads = &threads;
      VcfWriter writer(out, reader);
      VcfRecord record;
      while (reader.read(record)) writer.write(record, {});
    }
    EXPECT_EQ(test::content_of(at(name)), "old");
    ASSERT_TRUE(fs::exists(at(name) + ".part"));
    EXPECT_FALSE(test::content_of(at(name) + ".part").ends_with(test::bgzf_end_marker()))
        << "an unfinished file must not look complete";
    EXPECT_EQ(test::copy_records({.path = input}, to(name)), 5000);
    EXPECT_EQ(test::read_all(folder_.path() / name).size(), 5000U);
    EXPECT_FALSE(fs::exists(at(name) + ".part"));
  }
}

TEST_F(VcfWriterTest, RefusesOutputsThatCannotBe) {
  const std::string input = write("in.vcf", test::small_header());
  const auto open = [&](VcfWriterOptions out) {
    VcfReader reader({.path = input});
    VcfWriter writer(std::move(out), reader);
  };
  expect_error<InvalidArgument>([&] { open({.path = input}); }, {input, "input itself"});
  fs::create_hard_link(input, at("link.vcf"));
  expect_error<InvalidArgument>([&] { open({.path = at("link.vcf")}); }, {"input itself"});
  fs::create_symlink(input, at("soft.vcf"));
  expect_error<InvalidArgument>([&] { open({.path = at("soft.vcf")}); }, {"input itself"});
  expect_error<InvalidArgument>([&] { open({.path = folder_.path().string()}); }, {"directory"});
  expect_error<InvalidArgument>([&] { open({.path = at("no/out.vcf")}); },
                                {"no/out.vcf", "does not exist"});
  EXPECT_EQ(test::content_of(input), test::small_header());
  using enum VcfOutputType;
  const auto indexed = [&](const std::string& path, VcfOutputType type, VcfIndexKind kind) {
    VcfWriterOptions out;
    out.path = path;
    out.format.type = type;
    out.index = kind;
    open(out);
  };
  expect_error<InvalidArgument>([&] { indexed("-", vcf_bgzip, VcfIndexKind::csi); },
                                {"standard output", "index"});
  expect_error<InvalidArgument>([&] { indexed(at("o.vcf"), vcf, VcfIndexKind::csi); }, {"-O z"});
  expect_error<InvalidArgument>([&] { indexed(at("o"), bcf_uncompressed, VcfIndexKind::csi); },
                                {"-O b"});
  expect_error<InvalidArgument>([&] { indexed(at("o.bcf"), bcf, VcfIndexKind::tbi); }, {"csi"});
  expect_error<InvalidArgument>(
      [&] { open({.path = at("o.vcf"), .header_lines = {"INFO=<ID=X>"}}); }, {"##", "INFO=<ID=X>"});
}

TEST_F(VcfWriterTest, NoPermissionIsSaidBeforeReading) {
  const std::string input = write("in.vcf", test::small_header());
  const auto open = [&](const std::string& path) {
    VcfReader reader({.path = input});
    VcfWriter writer({.path = path}, reader);
  };
  // Not even root can make files there.
  expect_error<DeviceError>([&] { open("/proc/ssmgen-out.vcf"); },
                            {"/proc/ssmgen-out.vcf", "cannot be written"});
  if (geteuid() == 0) return;
  fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  expect_error<DeviceError>([&] { open(at("o.vcf")); }, {"o.vcf.part", "Permission denied"});
  fs::permissions(folder_.path(), fs::perms::owner_all);
}

TEST_F(VcfWriterTest, WritesThroughALinkAndToAPipe) {
  const std::string input = write("in.vcf", test::small_header() + test::small_records(3));
  write("real.vcf", "old");
  fs::create_symlink(at("real.vcf"), at("link.vcf"));
  test::copy_records({.path = input}, to("link.vcf"));
  EXPECT_TRUE(fs::is_symlink(at("link.vcf")));
  EXPECT_EQ(test::content_of(at("real.vcf")), test::content_of(input));
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  FILE* reader = popen(fmt::format("cat '{}' > '{}'", at("pipe"), at("copy.vcf")).c_str(), "r");
  test::copy_records({.path = input}, to("pipe"));
  pclose(reader);
  EXPECT_EQ(test::content_of(at("copy.vcf")), test::content_of(input));
}

TEST_F(VcfWriterTest, WritesToStandardOutputAndLeavesItOpen) {
  const std::string input = write("in.vcf", test::small_header() + test::small_records(3));
  std::fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  const int file = open(at("stdout").c_str(), O_WRONLY | O_CREAT, 0600);
  dup2(file, STDOUT_FILENO);
  for (int i = 0; i < 2; ++i) test::copy_records({.path = input}, {});
  dup2(saved, STDOUT_FILENO);
  close(saved);
  close(file);
  EXPECT_EQ(test::content_of(at("stdout")), test::content_of(input) + test::content_of(input));
}

TEST_F(VcfWriterTest, UnsortedOutputIsWrittenButNotIndexed) {
  const std::string records =
      "chr1\t50\t.\tA\tC\t.\t.\t.\nchr1\t40\t.\tA\tC\t.\t.\t.\nchr2\t1\t.\tA\tC\t.\t.\t.\n";
  const std::string input = write("in.vcf", test::small_header() + records);
  for (const char* name : {"o.vcf.gz", "o.bcf"}) {
    VcfWriterOptions out = to(name);
    out.index = VcfIndexKind::csi;
    expect_error([&] { test::copy_records({.path = input}, out); },
                 {name, "cannot be indexed", "record 2 at chr1:40", "bcftools sort"});
    EXPECT_EQ(test::read_all(folder_.path() / name).size(), 3U);
    EXPECT_FALSE(fs::exists(at(name) + ".csi"));
  }
  VcfWriterOptions out = to("far.vcf.gz");
  out.index = VcfIndexKind::tbi;
  const std::string far =
      write("far.vcf", test::small_header() + "chr1\t600000000\t.\tA\tC\t.\t.\t.\n");
  expect_error([&] { test::copy_records({.path = far}, out); }, {"600000000", "use csi"});
  out.index = VcfIndexKind::csi;
  EXPECT_EQ(test::copy_records({.path = far}, out), 1);
}

TEST_F(VcfWriterTest, BcfNeedsDeclarations) {
  const auto convert = [&](std::string_view record, std::vector<genome::Contig> contigs) {
    VcfWriterOptions out = to("o.bcf");
    out.contigs = std::move(contigs);
    test::copy_records({.path = write("in.vcf", test::small_header(1) + std::string(record))}, out);
  };
  const std::string other = "chr9\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n";
  expect_error([&] { convert(other, {}); },
               {"in.vcf", "record 1 (chr9:5)", "'chr9'", "##contig", "-O z"});
  convert(other, {{"chr9", 1000}});
  EXPECT_EQ(test::read_all(folder_.path() / "o.bcf"), Lines{"chr9:5:A:C"});
  expect_error([&] { convert("chr1\t5\t.\tA\tC\t.\t.\tXX=1\tGT\t0/1\n", {}); },
               {"record 1", "'XX' of INFO"});
  expect_error([&] { convert("chr1\t5\t.\tA\tC\t.\tq10\t.\tGT\t0/1\n", {}); },
               {"record 1", "'q10' of FILTER"});
  expect_error([&] { convert("chr1\t5\t.\tA\tC\t.\t.\t.\tGT:ZZ\t0/1:1\n", {}); },
               {"record 1", "'ZZ' of FORMAT"});
}

TEST_F(VcfWriterTest, CannotBeUsedAfterClose) {
  VcfReader reader({.path = write("in.vcf", test::small_header() + test::small_records(1))});
  VcfWriter writer(to("o.vcf"), reader);
  VcfRecord record;
  ASSERT_TRUE(reader.read(record));
  writer.write(record, {});
  writer.close();
  EXPECT_EQ(writer.records_written(), 1);
  EXPECT_THROW(writer.write(record, {}), InvalidArgument);
  EXPECT_THROW(writer.close(), InvalidArgument);
}

}  // namespace
}  // namespace ssmgen::io
