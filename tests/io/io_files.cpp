#include "tests/io/io_files.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <htslib/bgzf.h>
#include <iterator>
#include <limits>
#include <sys/wait.h>
#include <zlib.h>

namespace ssmgen::io::test {

bool has_program(const std::string& name) {
  return std::system(fmt::format("command -v {} > /dev/null 2>&1", name).c_str()) == 0;
}

std::string output_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "cannot run " << command;
    return {};
  }
  std::string out;
  char buffer[4096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    out.append(buffer, got);
  }
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command;
  return out;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string shared_data(const std::string& name) {
  const std::filesystem::path path =
      std::filesystem::path(SSMGEN_SOURCE_DIR) / ".." / "shared" / "data" / name;
  return std::filesystem::exists(path) ? std::filesystem::canonical(path).string() : std::string();
}

std::string bgzip(std::string_view text) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "x.gz").string();
  BGZF* file = bgzf_open(path.c_str(), "w");
  EXPECT_EQ(bgzf_write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(bgzf_close(file), 0);
  return content_of(path);
}

std::string gzip(std::string_view text) {
  const ssmgen::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "x.gz").string();
  gzFile file = gzopen(path.c_str(), "wb");
  EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  EXPECT_EQ(gzclose(file), Z_OK);
  return content_of(path);
}

std::string_view bgzf_end_marker() {
  static constexpr char bytes[] =
      "\037\213\010\4\0\0\0\0\0\377\6\0\102\103\2\0\033\0\3\0\0\0\0\0\0\0\0";
  return {bytes, 28};
}

std::string small_header(int samples) {
  std::string header =
      "##fileformat=VCFv4.2\n"
      "##contig=<ID=chr1,length=1000000>\n"
      "##contig=<ID=chr2>\n"
      "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n"
      "##INFO=<ID=END,Number=1,Type=Integer,Description=\"End\">\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
      "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
  if (samples > 0) header += "\tFORMAT";
  for (int i = 1; i <= samples; ++i) header += fmt::format("\tS{}", i);
  return header + "\n";
}

std::string small_records(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    text += fmt::format("chr1\t{}\trs{}\tA\tC,G\t{}\t.\tDP={}\n", 10 * i, i, i % 60, i % 100);
  }
  return text;
}

std::vector<std::string> read_all(VcfReaderOptions options) {
  VcfReader reader(std::move(options));
  VcfRecord record;
  std::vector<std::string> out;
  while (reader.read(record)) {
    std::string line = fmt::format("{}:{}:{}:", record.contig, record.position + 1, record.ref);
    for (std::size_t i = 0; i < record.alts.size(); ++i) {
      line += (i > 0 ? "," : "") + record.alts[i];
    }
    out.push_back(std::move(line));
  }
  EXPECT_FALSE(reader.read(record)) << "the end must stay the end";
  return out;
}

std::vector<std::string> read_all(const std::filesystem::path& path) {
  VcfReaderOptions options;
  options.path = path.string();
  return read_all(std::move(options));
}

std::int64_t copy_records(VcfReaderOptions input, VcfWriterOptions output, const FieldsOf& fields) {
  VcfReader reader(std::move(input));
  VcfWriter writer(std::move(output), reader);
  VcfRecord record;
  while (reader.read(record)) {
    writer.write(record, fields ? fields(record) : std::vector<InfoField>{});
  }
  writer.close();
  return writer.records_written();
}

std::vector<std::string> score_header_lines() {
  return {"##INFO=<ID=SCORE,Number=A,Type=Float,Description=\"A score\">",
          "##INFO=<ID=WHY,Number=A,Type=String,Description=\"Why not\">", "##ssmgen_test=1"};
}

std::vector<InfoField> score_fields(const VcfRecord& record) {
  std::vector<float> scores;
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < record.alts.size(); ++i) {
    const bool missing = (record.position + static_cast<std::int64_t>(i)) % 3 == 0;
    scores.push_back(missing ? std::numeric_limits<float>::quiet_NaN()
                             : -static_cast<float>(record.position % 1000) / 7.0F +
                                   static_cast<float>(i) / 8.0F);
    reasons.emplace_back(missing ? "star" : "");
  }
  if (scores.empty()) return {};
  return {{"SCORE", scores}, {"WHY", reasons}};
}

std::vector<std::string> record_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::string& line : split(text, '\n')) {
    if (!line.empty() && line.front() != '#') lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace ssmgen::io::test
