#include <gtest/gtest.h>

#include "io/hts_threads.hpp"
#include "tests/io/io_files.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::io {
namespace {

TEST(HtsThreads, PoolFromTwoThreadsOn) {
  EXPECT_EQ(HtsThreads(0).count(), 0);
  EXPECT_EQ(HtsThreads(1).count(), 0);
  EXPECT_EQ(HtsThreads(3).count(), 3);
  ssmgen::test::expect_error<InvalidArgument>([] { HtsThreads(-1); }, {"-1"});
}

TEST(HtsThreads, OnePoolServesReadersAndWritersAtOnce) {
  const ssmgen::test::TemporaryFolder folder;
  const auto input =
      folder.write("in.vcf.gz", test::bgzip(test::small_header() + test::small_records(30000)));
  const HtsThreads threads(2);
  for (const char* name : {"a.vcf.gz", "b.bcf"}) {
    VcfReaderOptions in;
    in.path = input.string();
    in.threads = &threads;
    VcfWriterOptions out;
    out.path = (folder.path() / name).string();
    out.format = choose_vcf_format("", name);
    out.threads = &threads;
    EXPECT_EQ(test::copy_records(in, out), 30000);
    in.path = out.path;
    EXPECT_EQ(test::read_all(in), test::read_all(input));
  }
}

}  // namespace
}  // namespace ssmgen::io
