#include <gtest/gtest.h>

#include "io/file_start.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

TEST(FileStart, SameBytesWhateverTheCompression) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string text = ">chr1 first\nACGT\n";
  for (const std::string& content : {text, test::gzip(text), test::bgzip(text)}) {
    const std::string path = folder.write("file", content).string();
    EXPECT_EQ(uncompressed_start(path, 5), ">chr1");
    EXPECT_EQ(uncompressed_start(path, 1000), text);
  }
}

TEST(FileStart, AMissingFileIsNamed) {
  ssmgen::test::expect_error([] { uncompressed_start("/nonexistent/file", 5); },
                             {"/nonexistent/file", "No such file"});
}

}  // namespace
}  // namespace ssmgen::io
