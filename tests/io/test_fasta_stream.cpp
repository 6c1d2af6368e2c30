#include <gtest/gtest.h>

#include "io/sequence_file.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

using ssmgen::test::expect_error;

std::vector<std::string> read_all(const std::string& path) {
  SequenceFileOptions options;
  options.path = path;
  const SequenceFile file = open_sequence_file(options);
  EXPECT_FALSE(file.holds_reads);
  std::vector<std::string> records;
  for (SequenceRecord record; file.source->next(record);) {
    EXPECT_EQ(record.length, static_cast<std::int64_t>(record.letters.size()));
    EXPECT_EQ(record.end, record.length);
    EXPECT_EQ(record.contig, record.name);
    records.push_back(record.name + ":" + record.letters);
  }
  return records;
}

TEST(FastaStream, ReadsEveryRecordWhateverTheCompression) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string text = "\n>a first\nACGT\nac\n\ngt\n>empty\n>b\tx\r\nNNRY*-\r\nA  \n>c\nT";
  const std::vector<std::string> expected{"a:ACGTACGT", "empty:", "b:NNRY*-A", "c:T"};
  EXPECT_EQ(read_all(folder.write("a.fa", text).string()), expected);
  EXPECT_EQ(read_all(folder.write("a.fa.gz", test::gzip(text)).string()), expected);
  EXPECT_EQ(read_all(folder.write("b.fa.gz", test::bgzip(text)).string()), expected);
}

TEST(FastaStream, CountsWithoutLetters) {
  const ssmgen::test::TemporaryFolder folder;
  SequenceFileOptions options;
  options.path = folder.write("a.fa", ">a\nACGT\nAC\n>b\nA\n").string();
  options.lengths_only = true;
  const SequenceFile file = open_sequence_file(options);
  SequenceRecord record;
  ASSERT_TRUE(file.source->next(record));
  EXPECT_EQ(record.length, 6);
  EXPECT_TRUE(record.letters.empty());
}

TEST(FastaStream, NamesWhatIsWrongAndWhere) {
  const ssmgen::test::TemporaryFolder folder;
  const auto refuse = [&](const std::string& content, std::string_view says) {
    const std::string path = folder.write("x.fa", content).string();
    expect_error([&] { read_all(path); }, {"x.fa", says});
  };
  refuse(">a\nACGT\n>\nACGT\n", "line 3: the record has no name");
  refuse(">a\nAC1T\n", "line 2: expected letters of a sequence in record 'a', got '1'");
  refuse("", "empty");
  refuse("hello\n", "expected '>'");
  const std::string whole = test::bgzip(">a\n" + std::string(200'000, 'A') + "\n");
  refuse(whole.substr(0, whole.size() - 28), "truncated");
  const std::string gzip = test::gzip(">a\n" + std::string(200'000, 'A') + "\n");
  refuse(gzip.substr(0, gzip.size() - 20), "truncated");
}

}  // namespace
}  // namespace ssmgen::io
