#include "io/fasta_stream.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"
#include "io/byte_source.hpp"

namespace ssmgen::io {
namespace {

// What may stand in a sequence: letters, and what aligners and translators put between them.
bool is_sequence_letter(char letter) {
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || letter == '*' ||
         letter == '-';
}

}  // namespace

struct FastaStream::Impl {
  std::string path;
  std::optional<LineReader> lines;
  bool lengths_only = false;
  std::int64_t line_number = 0;
  std::int64_t records = 0;
  std::string header;  // of the record that comes next
  bool has_header = false;

  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError(fmt::format("{}: line {}: {}", path, line_number, what));
  }

  bool next_line(std::string_view& line) {
    LineEnd end = LineEnd::newline;
    try {
      if (!lines->next(line, end)) return false;
    } catch (const InputDamage& damage) {
      throw FormatError(fmt::format("{}: {} after {} whole records; {}", path, damage.what, records,
                                    truncation_remedy()));
    }
    ++line_number;
    return true;
  }

  void take_header(std::string_view line) {
    line.remove_prefix(1);
    header = line.substr(0, line.find_first_of(" \t"));
    if (header.empty()) fail("the record has no name: expected '>name'");
    has_header = true;
  }

  void find_first_header() {
    std::string_view line;
    while (next_line(line)) {
      if (line.empty()) continue;
      if (line.front() != '>') {
        fail(line.front() == '@' ? "not FASTA but, by its '@', FASTQ: 'samtools fasta' converts it"
                                 : "not FASTA: expected '>' first");
      }
      take_header(line);
      return;
    }
    throw FormatError(fmt::format("{}: not FASTA: it holds no record", path));
  }

  void take_letters(std::string_view line, SequenceRecord& record) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    const auto bad = std::find_if_not(line.begin(), line.end(), is_sequence_letter);
    if (bad != line.end()) {
      fail(fmt::format("expected letters of a sequence in record '{}', got '{}'", record.name,
                       std::string_view(&*bad, 1)));
    }
    record.length += static_cast<std::int64_t>(line.size());
    if (!lengths_only) record.letters.append(line);
  }
};

FastaStream::FastaStream(InputFile& input, const HtsThreads* threads, bool lengths_only)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = input.path;
  impl_->lengths_only = lengths_only;
  impl_->lines.emplace(make_byte_source(input, threads));
  impl_->find_first_header();
}

FastaStream::~FastaStream() = default;

bool FastaStream::next(SequenceRecord& record) {
  if (!impl_->has_header) return false;
  std::string letters = std::move(record.letters);
  letters.clear();
  record = {};
  record.letters = std::move(letters);
  record.name = impl_->header;
  impl_->has_header = false;
  std::string_view line;
  while (impl_->next_line(line)) {
    if (!line.empty() && line.front() == '>') {
      impl_->take_header(line);
      break;
    }
    impl_->take_letters(line, record);
  }
  genome::upper_case(record.letters);
  record.contig = record.name;
  record.begin = 0;
  record.end = record.length;
  record.strand = '+';
  ++impl_->records;
  return true;
}

}  // namespace ssmgen::io
