// Every output type of real files, judged by bcftools.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/io/io_files.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const char* const kFiles[] = {"mpileup/mpileup.vcf", "strelka_demo/somatic.snvs.vcf.gz",
                              "ecoli_kinds.vcf.gz", "chr1_eqtl.vcf"};

class VcfOutputTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT("bcftools");
    input_ = test::shared_data(GetParam());
    if (input_.empty()) GTEST_SKIP() << "../shared/data is not there";
    // chr1_eqtl.vcf declares no contig, which BCF needs.
    contigs_ = {{"chr1", 248956422}};
  }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  // Scores the input into `name`.
  std::string score(const std::string& input, const std::string& name, const std::string& type,
                    VcfIndexKind index = VcfIndexKind::none) const {
    VcfWriterOptions out;
    out.path = at(name);
    out.format = choose_vcf_format(type, name);
    out.index = index;
    out.threads = &threads_;
    out.header_lines = test::score_header_lines();
    out.contigs = contigs_;
    VcfReaderOptions in;
    in.path = input;
    in.threads = &threads_;
    test::copy_records(in, out, test::score_fields);
    return out.path;
  }

  static std::string view(const std::string& path) {
    return test::output_of(fmt::format("bcftools view --no-version '{}'", path));
  }

  HtsThreads threads_{2};
  std::string input_;
  std::vector<genome::Contig> contigs_;
  ssmgen::test::TemporaryFolder folder_;
};

TEST_P(VcfOutputTest, AllTypesHoldTheSameRecords) {
  const std::string text = score(input_, "o.vcf", "");
  const Lines expected = test::record_lines(test::content_of(text));
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(test::record_lines(
                test::output_of(fmt::format("gunzip -c '{}'", score(input_, "o.vcf.gz", "")))),
            expected);
  const std::string viewed = view(text);
  for (const char* type : {"z0", "z9", "b", "b1", "u"}) {
    const std::string path = score(input_, "o", type);
    EXPECT_EQ(test::record_lines(view(path)), test::record_lines(viewed)) << type;
  }
}

TEST_P(VcfOutputTest, OnlyInfoChanges) {
  const std::string out = score(input_, "o.vcf", "");
  const std::string reader = std::string_view(GetParam()).ends_with("gz") ? "gunzip -c" : "cat";
  const Lines before = test::record_lines(test::output_of(fmt::format("{} '{}'", reader, input_)));
  const Lines after = test::record_lines(test::content_of(out));
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    Lines a = test::split(before[i], '\t');
    Lines b = test::split(after[i], '\t');
    if (a.size() == 7) a.emplace_back(".");
    ASSERT_EQ(a.size(), b.size());
    EXPECT_TRUE(a[7] == "." || b[7].starts_with(a[7])) << b[7];
    a[7] = b[7] = "";
    EXPECT_EQ(a, b);
  }
}

TEST_P(VcfOutputTest, BcfInputGivesTheSameAsTextInput) {
  const std::string text = score(input_, "o.vcf", "");
  // The same records by way of BCF, which normalises numbers as bcftools does.
  const std::string plain = at("plain.bcf");
  VcfWriterOptions out;
  out.path = plain;
  out.format = choose_vcf_format("", plain);
  out.contigs = contigs_;
  test::copy_records({.path = input_}, out);
  const Lines expected = test::record_lines(view(text));
  for (const char* name : {"b.vcf", "b.vcf.gz", "b.bcf"}) {
    EXPECT_EQ(test::record_lines(view(score(plain, name, ""))), expected) << name;
  }
}

TEST_P(VcfOutputTest, ScoringTwiceReplaces) {
  const std::string once = score(input_, "once.vcf.gz", "");
  for (const char* name : {"twice.vcf", "twice.bcf"}) {
    const std::string twice = view(score(once, name, ""));
    EXPECT_EQ(test::record_lines(twice), test::record_lines(view(once))) << name;
    std::size_t definitions = 0;
    for (const std::string& line : test::split(twice, '\n')) {
      definitions += line.starts_with("##INFO=<ID=SCORE,") ? 1U : 0U;
    }
    EXPECT_EQ(definitions, 1U);
  }
}

TEST_P(VcfOutputTest, IndexesCountTheRecords) {
  const std::size_t records =
      test::record_lines(test::content_of(score(input_, "o.vcf", ""))).size();
  struct Case {
    const char* name;
    VcfIndexKind kind;
    const char* suffix;
  };
  for (const Case& each :
       {Case{"i.vcf.gz", VcfIndexKind::csi, ".csi"}, Case{"i.vcf.gz", VcfIndexKind::tbi, ".tbi"},
        Case{"i.bcf", VcfIndexKind::csi, ".csi"}}) {
    fs::remove(at("i.vcf.gz.csi"));
    const std::string path = score(input_, each.name, "", each.kind);
    EXPECT_TRUE(fs::exists(path + each.suffix));
    EXPECT_FALSE(fs::exists(path + each.suffix + ".part"));
    EXPECT_GE(fs::last_write_time(path + each.suffix), fs::last_write_time(path));
    EXPECT_EQ(test::output_of(fmt::format("bcftools index -n '{}'", path)),
              fmt::format("{}\n", records));
    std::size_t sum = 0;
    for (const std::string& line :
         test::split(test::output_of(fmt::format("bcftools index -s '{}'", path)), '\n')) {
      if (!line.empty()) sum += std::stoul(test::split(line, '\t').at(2));
    }
    EXPECT_EQ(sum, records);
    const auto summary = VcfReader({.path = path}).index_summary();
    ASSERT_TRUE(summary.has_value());
    EXPECT_EQ(summary->record_count, static_cast<std::int64_t>(records));
  }
}

INSTANTIATE_TEST_SUITE_P(SharedData, VcfOutputTest, testing::ValuesIn(kFiles),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           for (char& letter : name) {
                             if (std::isalnum(static_cast<unsigned char>(letter)) == 0)
                               letter = '_';
                           }
                           return name;
                         });

TEST(VcfOutput, NormFindsEveryReferenceBaseRight) {
  SSMGEN_SKIP_WITHOUT("bcftools");
  SSMGEN_SKIP_WITHOUT("bgzip");
  struct Pair {
    const char* vcf;
    const char* fasta;
  };
  if (test::shared_data("mpileup/mpileup.vcf").empty()) {
    GTEST_SKIP() << "../shared/data is not there";
  }
  const ssmgen::test::TemporaryFolder folder;
  for (const Pair& pair : {Pair{"strelka_demo/somatic.snvs.vcf.gz", "strelka_demo/demo20.fa"},
                           Pair{"ecoli_kinds.vcf.gz", "ecoli_k12_mg1655.fna.gz"}}) {
    const std::string fasta = (folder.path() / "ref.fa").string();
    const std::string reader = std::string_view(pair.fasta).ends_with("gz") ? "gunzip -c" : "cat";
    test::output_of(fmt::format("rm -f '{1}.fai'; {2} '{0}' > '{1}'", test::shared_data(pair.fasta),
                                fasta, reader));
    for (const char* name : {"n.vcf", "n.vcf.gz", "n.bcf"}) {
      VcfWriterOptions out;
      out.path = (folder.path() / name).string();
      out.format = choose_vcf_format("", name);
      out.header_lines = test::score_header_lines();
      test::copy_records({.path = test::shared_data(pair.vcf)}, out, test::score_fields);
      test::output_of(
          fmt::format("bcftools norm -c e -f '{}' '{}' 2>&1 > /dev/null", fasta, out.path));
    }
  }
}

}  // namespace
}  // namespace ssmgen::io
