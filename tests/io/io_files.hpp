#pragma once
// Files for the tests of this folder, and the programs they are compared with.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/vcf_reader.hpp"
#include "io/vcf_writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::io::test {

/// True when the shell finds the program.
bool has_program(const std::string& name);

/// What a shell command wrote to standard output. Fails the test when it exits with another status
/// than 0.
std::string output_of(const std::string& command);

/// The bytes of a file.
std::string content_of(const std::filesystem::path& path);

/// ../shared/data/<name>; empty when the test data is not there.
std::string shared_data(const std::string& name);

/// Compresses as `bgzip` does.
std::string bgzip(std::string_view text);

/// Compresses as `gzip` does.
std::string gzip(std::string_view text);

/// The 28 bytes that end a BGZF file.
std::string_view bgzf_end_marker();

/// A header with contigs chr1 and chr2, INFO DP and END, and `samples` columns of FORMAT GT.
std::string small_header(int samples = 0);

/// `count` sorted records on chr1, 10 bases apart, to be put behind small_header(0).
std::string small_records(int count);

/// All records, as "contig:pos:ref:alt,alt".
std::vector<std::string> read_all(VcfReaderOptions options);
std::vector<std::string> read_all(const std::filesystem::path& path);

/// Fields a test gives to a record.
using FieldsOf = std::function<std::vector<InfoField>(const VcfRecord&)>;

/// Reads and writes a whole file; how many records were written.
std::int64_t copy_records(VcfReaderOptions input, VcfWriterOptions output,
                          const FieldsOf& fields = nullptr);

/// The lines of ##INFO for SCORE (Number=A float) and WHY (Number=A string).
std::vector<std::string> score_header_lines();

/// SCORE = position + index of the ALT / 8, missing for every third; WHY beside it.
std::vector<InfoField> score_fields(const VcfRecord& record);

/// The lines of a text that do not begin with '#'.
std::vector<std::string> record_lines(std::string_view text);

/// Splits at a character.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace ssmgen::io::test

#define SSMGEN_SKIP_WITHOUT(program) \
  if (!::ssmgen::io::test::has_program(program)) GTEST_SKIP() << program << " is not installed"
