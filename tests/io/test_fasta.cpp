#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fasta.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;
using ssmgen::test::expect_error;

constexpr std::string_view kText =
    ">chr1 some words\nACGTacgtNN\nRYacgtaaCC\nGGG\n>chr2\nTTTT\n>last\nac\n";

class FastaTest : public testing::Test {
 protected:
  std::string write(std::string_view name, std::string_view content) const {
    return folder_.write(name, content).string();
  }
  std::string in(std::string_view name) const { return (folder_.path() / name).string(); }

  ssmgen::test::TemporaryFolder folder_;
};

TEST_F(FastaTest, ReadsPlainAndBgzipAlike) {
  for (const std::string& path : {write("a.fa", kText), write("a.fa.gz", test::bgzip(kText))}) {
    Fasta fasta(path);
    EXPECT_EQ(fasta.contigs(),
              (std::vector<genome::Contig>{{"chr1", 23}, {"chr2", 4}, {"last", 2}}));
    EXPECT_EQ(fasta.find("chr2"), 1);
    EXPECT_EQ(fasta.find("some"), -1);
    EXPECT_EQ(fasta.fetch(0, 0, 23), "ACGTACGTNNRYACGTAACCGGG");
    EXPECT_EQ(fasta.fetch(0, 8, 12), "NNRY");
    EXPECT_EQ(fasta.fetch(0, 22, 23), "G");
    EXPECT_EQ(fasta.fetch(0, 23, 23), "");
    EXPECT_EQ(fasta.fetch(1, 0, 4), "TTTT");
    EXPECT_EQ(fasta.fetch(2, 0, 2), "AC");
    // The index lies beside it, and serves the next time.
    EXPECT_TRUE(fs::exists(path + ".fai"));
    EXPECT_EQ(fs::exists(path + ".gzi"), path.ends_with(".gz"));
    EXPECT_EQ(Fasta(path).fetch(0, 8, 12), "NNRY");
  }
}

TEST_F(FastaTest, RefusesRangesOutsideAContig) {
  Fasta fasta(write("a.fa", kText));
  expect_error<InvalidArgument>([&] { fasta.fetch(0, -1, 5); }, {"a.fa", "[-1, 5)", "chr1", "23"});
  expect_error<InvalidArgument>([&] { fasta.fetch(0, 20, 24); }, {"[20, 24)"});
  expect_error<InvalidArgument>([&] { fasta.fetch(0, 5, 4); }, {"[5, 4)"});
  expect_error<InvalidArgument>([&] { fasta.fetch(3, 0, 1); }, {"3 contigs"});
  expect_error<InvalidArgument>([&] { fasta.fetch(-1, 0, 1); }, {"-1"});
  EXPECT_EQ(fasta.fetch(0, 0, 2), "AC") << "an error must leave the object usable";
}

// Sequences long enough for many blocks of the cache.
std::string random_sequence(std::int64_t length, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(static_cast<std::size_t>(length), 'A');
  for (char& letter : out) letter = "ACGTacgtN"[random() % 9];
  return out;
}

std::string wrapped(std::string_view sequence, std::size_t width) {
  std::string out;
  for (std::size_t i = 0; i < sequence.size(); i += width) {
    out += std::string(sequence.substr(i, width)) + "\n";
  }
  return out;
}

TEST_F(FastaTest, CacheGivesTheSameBasesNearAndFar) {
  const std::string one = random_sequence(3'000'017, 1);
  const std::string two = random_sequence(40'000, 2);
  const std::string text = ">one\n" + wrapped(one, 60) + ">two\n" + wrapped(two, 71);
  for (const std::string& path : {write("b.fa", text), write("b.fa.gz", test::bgzip(text))}) {
    Fasta fasta(path);
    std::mt19937 random(3);
    std::string letters;
    const auto check = [&](std::int64_t contig, std::int64_t begin, std::int64_t end) {
      const std::string& whole = contig == 0 ? one : two;
      std::string expected =
          whole.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
      std::transform(expected.begin(), expected.end(), expected.begin(),
                     [](char c) { return static_cast<char>(std::toupper(c)); });
      fasta.fetch(contig, begin, end, letters);
      ASSERT_EQ(letters, expected) << contig << ":" << begin << "-" << end;
    };
    for (std::int64_t begin = 0; begin + 512 < 3'000'000; begin += 997)
      check(0, begin, begin + 512);
    for (std::int64_t begin = 2'900'000; begin > 0; begin -= 40'009) check(0, begin, begin + 512);
    for (int i = 0; i < 300; ++i) {
      const std::int64_t contig = random() % 2;
      const std::int64_t length = contig == 0 ? 3'000'017 : 40'000;
      const std::int64_t a = random() % (length + 1);
      const std::int64_t b = std::min<std::int64_t>(length, a + random() % 5000);
      check(contig, a, b);
    }
    check(0, 0, 3'000'017);
    check(0, 100, 1'500'000);
  }
}

TEST_F(FastaTest, AHundredThousandNearbyWindowsASecond) {
  const std::string path = write("c.fa", ">one\n" + wrapped(random_sequence(2'000'000, 1), 60));
  Fasta fasta(path);
  std::string letters;
  const auto start = std::chrono::steady_clock::now();
  constexpr int count = 200'000;
  for (int i = 0; i < count; ++i) fasta.fetch(0, 5 * i, 5 * i + 512, letters);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  RecordProperty("fetches_per_second", std::to_string(count / seconds.count()));
#ifdef NDEBUG
  EXPECT_LT(seconds.count(), 2.0);
#endif
}

TEST_F(FastaTest, Md5IsThatOfTheUpperCasedSequence) {
  Fasta fasta(write("a.fa", kText));
  // printf AC | md5sum
  EXPECT_EQ(fasta.md5(2), "4144e097d2fa7a491cec2a7a4322f2bc");
  SSMGEN_SKIP_WITHOUT("md5sum");
  for (std::int64_t contig = 0; contig < 3; ++contig) {
    const std::string letters =
        fasta.fetch(contig, 0, fasta.contigs()[static_cast<std::size_t>(contig)].length);
    EXPECT_EQ(fasta.md5(contig) + "  -\n",
              test::output_of(fmt::format("printf '{}' | md5sum", letters)));
  }
  const std::string sequence = random_sequence(2'500'000, 7);
  Fasta large(write("l.fa", ">x\n" + wrapped(sequence, 80)));
  const std::string md5 = large.md5(0);
  EXPECT_EQ(md5, large.md5(0));
  EXPECT_EQ(md5 + "  -\n",
            test::output_of(fmt::format("tail -n +2 '{}' | tr -d '\\n' | tr acgtn ACGTN | md5sum",
                                        in("l.fa"))));
}

TEST_F(FastaTest, AgreesWithSamtoolsOnAGenome) {
  SSMGEN_SKIP_WITHOUT("samtools");
  const std::string data = test::shared_data("hg38_chr1_1m.fa.gz");
  if (data.empty()) GTEST_SKIP() << "../shared/data is not there";
  const std::string path = in("hg38.fa.gz");
  fs::copy_file(data, path);
  fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
  Fasta fasta(path);
  ASSERT_EQ(fasta.contigs(), (std::vector<genome::Contig>{{"chr1", 1'000'000}}));
  for (const auto& [begin, end] : {std::pair{1, 100}, {159'990, 160'200}, {999'900, 1'000'000}}) {
    std::string expected = test::output_of(
        fmt::format("samtools faidx '{}' chr1:{}-{} | tail -n +2 | tr -d '\\n' | tr acgtn ACGTN",
                    path, begin, end));
    EXPECT_EQ(fasta.fetch(0, begin - 1, end), expected);
  }
  EXPECT_EQ(fasta.md5(0) + "  -\n",
            test::output_of(fmt::format(
                "gunzip -c '{}' | tail -n +2 | tr -d '\\n' | tr acgtn ACGTN | md5sum", path)));
}

TEST_F(FastaTest, PlainGzipIsRefusedWithTheCommandThatMendsIt) {
  const std::string path = write("g.fna.gz", test::gzip(kText));
  const std::string command =
      fmt::format("gunzip -c '{}' | bgzip -@4 > '{}' && samtools faidx '{}'", path, in("g.fa.gz"),
                  in("g.fa.gz"));
  expect_error([&] { Fasta fasta(path); }, {"g.fna.gz", "gzip", command});
  SSMGEN_SKIP_WITHOUT("samtools");
  SSMGEN_SKIP_WITHOUT("bgzip");
  test::output_of(command);
  EXPECT_EQ(Fasta(in("g.fa.gz")).fetch(1, 0, 4), "TTTT");
  // Where the input has the name already, the command must not overwrite it.
  expect_error([&] { Fasta fasta(write("h.fa.gz", test::gzip(kText))); }, {"h.bgzip.fa.gz"});
}

TEST_F(FastaTest, SaysWhatIsNotAFasta) {
  expect_error([&] { Fasta fasta(in("absent.fa")); }, {"absent.fa", "No such file"});
  expect_error([&] { Fasta fasta(folder_.path().string()); }, {"directory"});
  expect_error([&] { Fasta fasta(write("e.fa", "")); }, {"e.fa", "empty"});
  expect_error([&] { Fasta fasta(write("e.fa.gz", test::bgzip(""))); }, {"not FASTA"});
  expect_error([&] { Fasta fasta(write("v.fa", test::small_header())); }, {"not FASTA", "'>'"});
  expect_error([&] { Fasta fasta(write("r.fa", ">a\nACGT\nAC\nACGT\n")); },
               {"r.fa", "cannot be indexed", "lines of one length"});
  expect_error<InvalidArgument>([&] { Fasta fasta("-"); }, {"standard input"});
  // Nothing half made stays behind.
  EXPECT_FALSE(fs::exists(in("r.fa.fai")));
  if (geteuid() != 0) {
    const std::string locked = write("u.fa", kText);
    chmod(locked.c_str(), 0);
    expect_error([&] { Fasta fasta(locked); }, {"u.fa", "Permission denied"});
  }
}

TEST_F(FastaTest, TruncatedBgzipIsAnError) {
  const std::string whole = test::bgzip(">one\n" + wrapped(random_sequence(300'000, 1), 60));
  for (const std::size_t cut : {std::size_t{28}, whole.size() / 2, whole.size() - 40}) {
    expect_error([&] { Fasta fasta(write("t.fa.gz", whole.substr(0, whole.size() - cut))); },
                 {"t.fa.gz", "truncated", "end marker"});
  }
  // A broken block in the middle with the end in place.
  std::string broken = whole;
  for (std::size_t i = 0; i < 2000; ++i) broken[broken.size() / 2 + i] = 'x';
  expect_error([&] { Fasta fasta(write("t.fa.gz", broken)); }, {"t.fa.gz", "cannot be indexed"});
}

TEST_F(FastaTest, AnIndexWithFalseEntriesIsAnError) {
  const std::string path = write("a.fa", kText);
  const std::string remedy = "samtools faidx '" + path + "'";
  const auto with = [&](std::string_view fai) {
    write("a.fa.fai", fai);
    Fasta fasta(path);
  };
  expect_error([&] { with("chr1\t23000\t17\t10\t11\n"); }, {"a.fa.fai", "does not fit", remedy});
  expect_error([&] { with("chr1\t23\t18\t10\t11\n"); }, {"does not fit"});
  expect_error([&] { with("chr7\t23\t17\t10\t11\n"); }, {"'chr7'"});
  expect_error([&] { with("chr1\t24\t17\t10\t11\n"); }, {"does not fit"});
  expect_error([&] { with("chr1\t23\t99999999999\t10\t11\n"); }, {"does not fit"});
  expect_error([&] { with("chr1\t23\t17\t10\n"); }, {"line 1", "LINEWIDTH"});
  expect_error([&] { with("chr1\t23\tx\t10\t11\n"); }, {"line 1"});
  expect_error([&] { with("chr1\t23\t17\t0\t0\n"); }, {"line 1"});
  expect_error([&] { with("chr1\t23\t17\t10\t11\nchr1\t23\t17\t10\t11\n"); }, {"line 2"});
  expect_error([&] { with(""); }, {"no sequence"});
}

TEST_F(FastaTest, AnOlderIndexIsComparedWithANewOne) {
  const std::string path = write("a.fa", kText);
  { const Fasta made(path); }
  const auto age = [&](const std::string& file) {
    fs::last_write_time(file, fs::last_write_time(path) - std::chrono::hours(1));
  };
  age(path + ".fai");
  std::vector<std::string> warnings;
  Fasta fasta(path, [&](const std::string& text) { warnings.push_back(text); });
  EXPECT_EQ(fasta.fetch(1, 0, 4), "TTTT");
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("still fits"), std::string::npos) << warnings[0];
  // A sequence put in between that the probes of the entries cannot see.
  write("a.fa", std::string(kText) + ">more\nAC\n");
  age(path + ".fai");
  expect_error([&] { Fasta again(path); }, {"a.fa.fai", "stale", "samtools faidx"});
}

TEST_F(FastaTest, AGziWithAFalseCountIsAnError) {
  const std::string path =
      write("z.fa.gz", test::bgzip(">one\n" + wrapped(random_sequence(300'000, 1), 60)));
  { const Fasta made(path); }
  const std::string good = test::content_of(path + ".gzi");
  ASSERT_EQ(good.size() % 16, 8U);
  ASSERT_GT(good.size(), 40U);
  const auto with = [&](std::string bytes) {
    write("z.fa.gz.gzi", bytes);
    Fasta fasta(path);
  };
  std::string count = good;
  count[0] = static_cast<char>(count[0] + 1);
  expect_error([&] { with(count); }, {"z.fa.gz.gzi", "blocks and holds", "samtools faidx"});
  count = good;
  count[7] = '\x7f';
  expect_error([&] { with(count); }, {"blocks and holds"});
  expect_error([&] { with(good.substr(0, good.size() - 1)); }, {"8 + 16 n"});
  expect_error([&] { with(""); }, {"8 + 16 n"});
  std::string offset = good;
  offset[8] = static_cast<char>(offset[8] + 1);
  expect_error([&] { with(offset); }, {"no block begins at byte"});
  std::string swapped = good;
  std::swap_ranges(swapped.begin() + 8, swapped.begin() + 24, swapped.begin() + 24);
  expect_error([&] { with(swapped); }, {"block 2"});
  with(good);
}

// A folder nobody can write, not even root: a sealed one, where the file system knows how.
TEST_F(FastaTest, KeepsTheIndexInMemoryWhereTheFolderCannotBeWritten) {
  const fs::path sealed = folder_.path() / "sealed";
  for (const auto& [name, content] :
       {std::pair{"a.fa", std::string(kText)}, {"a.fa.gz", test::bgzip(kText)}}) {
    folder_.write(std::string("sealed/") + name, content);
  }
  const std::string lock = fmt::format("chattr +i '{}' 2> /dev/null", sealed.string());
  const bool is_root = geteuid() == 0;
  if (is_root && std::system(lock.c_str()) != 0) {
    GTEST_SKIP() << "root can write everywhere here: chattr +i is not supported";
  }
  if (!is_root) fs::permissions(sealed, fs::perms::owner_read | fs::perms::owner_exec);
  for (const char* name : {"a.fa", "a.fa.gz"}) {
    std::vector<std::string> warnings;
    Fasta fasta((sealed / name).string(),
                [&](const std::string& text) { warnings.push_back(text); });
    EXPECT_EQ(fasta.fetch(0, 8, 12), "NNRY");
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].find("kept in memory"), std::string::npos);
    EXPECT_FALSE(fs::exists((sealed / name).string() + ".fai"));
  }
  if (is_root) {
    test::output_of(fmt::format("chattr -i '{}'", sealed.string()));
  } else {
    fs::permissions(sealed, fs::perms::owner_all);
  }
}

}  // namespace
}  // namespace ssmgen::io
