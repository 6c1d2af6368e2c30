// The part of VcfReader that reads text: header lines, records line by line.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "io/vcf_reader_impl.hpp"

namespace ssmgen::io {
namespace {

// What a line looks like, short enough for a message, without bytes that would upset a terminal.
std::string excerpt(std::string_view line) {
  std::string out(line.substr(0, 60));
  for (char& letter : out) {
    if (static_cast<unsigned char>(letter) < 32 && letter != '\t') letter = '?';
  }
  return line.size() > 60 ? out + "..." : out;
}

}  // namespace

void VcfReader::Impl::open_text(InputFile& input) {
  if (input.format.category == sequence_data) {
    const std::unique_ptr<char, FreeWith<std::free>> kind(hts_format_description(&input.format));
    throw FormatError(
        fmt::format("{}: not VCF or BCF but {}", name, kind == nullptr ? "sequences" : kind.get()));
  }
  lines.emplace(input, options.threads);
  try {
    read_text_header();
  } catch (const InputDamage& damage) {
    throw_damage(damage);
  }
  VcfHeaderText bare;
  bare.lines = header_text.lines;
  if (bare.lines.empty() || !bare.lines.front().starts_with("##fileformat=")) {
    bare.lines.insert(bare.lines.begin(), "##fileformat=VCFv4.2");
    warn("fileformat",
         fmt::format("{}: the first line is not ##fileformat; read as VCFv4.2", name));
  }
  bare.column_line = kFixedColumns;
  check_header = parse_header(bare);
  if (check_header == nullptr) {
    throw FormatError(
        fmt::format("{}: htslib cannot parse the header; 'bcftools view -h' says "
                    "more",
                    name));
  }
}

void VcfReader::Impl::read_text_header() {
  std::string_view line;
  LineEnd end = LineEnd::newline;
  bool is_first = true;
  while (lines->next(line, end)) {
    if (end == LineEnd::crlf) {
      warn("crlf", fmt::format("{}: lines end in CR LF; output ends them in LF", name));
    }
    if (is_first && !line.starts_with("##") && !line.starts_with("#CHROM")) {
      throw FormatError(fmt::format(
          "{}: not VCF or BCF: expected a header that begins with ##fileformat=VCF, got '{}'", name,
          excerpt(line)));
    }
    is_first = false;
    if (!line.starts_with('#')) {
      lines->put_back();
      end_text_header(false);
      return;
    }
    if (end == LineEnd::end_of_file) {
      throw InputDamage{"truncated: the header's last line has no line end"};
    }
    if (!line.starts_with("##")) {
      header_text.column_line = line;
      end_text_header(true);
      return;
    }
    header_text.lines.emplace_back(line);
  }
  if (is_first) throw FormatError(fmt::format("{}: not VCF or BCF: it holds nothing", name));
  end_text_header(false);
}

void VcfReader::Impl::end_text_header(bool has_column_line) {
  std::string& columns = header_text.column_line;
  if (has_column_line) {
    const std::string_view needed = kFixedColumns.substr(0, kFixedColumns.rfind('\t'));
    const std::string_view given = columns;
    if (!given.starts_with(needed) ||
        (given.size() > needed.size() && given[needed.size()] != '\t')) {
      throw FormatError(
          fmt::format("{}: expected the column line '#CHROM POS ID REF ALT QUAL FILTER INFO' "
                      "separated by tabs, "
                      "got '{}'",
                      name, excerpt(columns)));
    }
    column_count = count_columns(columns);
    samples = sample_names(columns);
    return;
  }
  warn("columns", fmt::format("{}: the header has no #CHROM line; its columns are taken from the "
                              "first record",
                              name));
  // The first record says how many columns there are; samples get numbers for names.
  columns = kFixedColumns;
  std::string_view line;
  LineEnd end = LineEnd::newline;
  if (!lines->next(line, end)) {
    column_count = kFixedColumnCount;
    return;
  }
  lines->put_back();
  column_count = count_columns(line);
  if (column_count < kFixedColumnCount) columns = columns.substr(0, columns.rfind('\t'));
  if (column_count > kFixedColumnCount) columns += "\tFORMAT";
  for (int i = kFixedColumnCount + 1; i < column_count; ++i) {
    samples.push_back(fmt::format("SAMPLE{}", i - kFixedColumnCount));
    columns += "\t" + samples.back();
  }
}

bool VcfReader::Impl::read_text(VcfRecord& record) {
  std::string_view line;
  LineEnd end = LineEnd::newline;
  for (;;) {
    try {
      if (!lines->next(line, end)) return false;
    } catch (const InputDamage& damage) {
      throw_damage(damage);
    }
    if (line.empty()) {
      warn("blank", fmt::format("{}: blank lines are left out", name));
      continue;
    }
    if (end == LineEnd::crlf) {
      warn("crlf", fmt::format("{}: lines end in CR LF; output ends them in LF", name));
    }
    ++records_read;
    const VcfColumns columns = split_columns(line);
    check_columns(columns, line, end);
    record.position = parse_position(columns.column[1]);
    if (record.position < -1) {
      throw FormatError(fmt::format("{}: POS: expected a whole number from 0, got '{}'", place(),
                                    excerpt(columns.column[1])));
    }
    record.record_number = records_read;
    fill_record(columns, line, record);
    check_by_htslib(columns);
    order.add(record.contig, record.position);
    if (wanted(record, *scratch_)) return true;
  }
}

void VcfReader::Impl::check_columns(const VcfColumns& columns, std::string_view line,
                                    LineEnd end) const {
  const auto read_before = [&] {
    return fmt::format("{} records were read before", records_read - 1);
  };
  if (end == LineEnd::end_of_file) {
    throw FormatError(fmt::format(
        "{}: cut line: the last line has no line end (it begins '{}'), so the file may be "
        "truncated; {}; if it is complete add one with: echo >> FILE; else {}",
        place(), excerpt(line), read_before(), truncation_remedy()));
  }
  if (line.front() == '#') {
    throw FormatError(fmt::format(
        "{}: a header line among the records: '{}'; files are joined with bcftools concat", place(),
        excerpt(line)));
  }
  if (columns.total != column_count) {
    throw FormatError(fmt::format(
        "{}: cut line: expected {} columns separated by tabs as in the header, got {}: '{}'; {}; "
        "{}",
        place(), column_count, columns.total, excerpt(line), read_before(), truncation_remedy()));
  }
  if (columns.fixed < kFixedColumnCount - 1) {
    throw FormatError(fmt::format("{}: expected at least 7 columns separated by tabs, got {}: '{}'",
                                  place(), columns.total, excerpt(line)));
  }
  if (columns.column[0].empty() || columns.column[3].empty() || columns.column[4].empty()) {
    throw FormatError(fmt::format("{}: CHROM, REF or ALT is empty: '{}'; a missing value is '.'",
                                  place(), excerpt(line)));
  }
  const char* fixed_end = columns.column[static_cast<std::size_t>(columns.fixed - 1)].data() +
                          columns.column[static_cast<std::size_t>(columns.fixed - 1)].size();
  if (std::memchr(line.data(), '\0', static_cast<std::size_t>(fixed_end - line.data())) !=
      nullptr) {
    throw FormatError(fmt::format("{}: the line holds a zero byte: '{}'; {}", place(),
                                  excerpt(line), truncation_remedy()));
  }
}

// Only the fixed columns: the samples' values pass through and need no understanding.
void VcfReader::Impl::check_by_htslib(const VcfColumns& columns) {
  const std::string_view first = columns.column[0];
  const std::string_view last = columns.column[static_cast<std::size_t>(columns.fixed - 1)];
  scratch_line_.assign(
      {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())});
  if (columns.fixed < kFixedColumnCount) {
    scratch_line_.append("\t.");
    warn("info", fmt::format("{}: the records have no INFO column; output has one", name));
  }
  const int known_ids = check_header->n[BCF_DT_ID];
  const int known_contigs = check_header->n[BCF_DT_CTG];
  bcf_clear(scratch_.get());
  if (vcf_parse(&scratch_line_, check_header.get(), scratch_.get()) < 0) {
    throw FormatError(fmt::format(
        "{}: htslib cannot parse the line: '{}'", place(columns.column[0], columns.column[1]),
        excerpt(
            {first.data(), static_cast<std::size_t>(last.data() + last.size() - first.data())})));
  }
  if (scratch_->errcode != 0) warn_undeclared(scratch_->errcode, known_ids, known_contigs);
}

// What htslib added to its header tells more than its error bits, of which a later may replace an
// earlier one.
void VcfReader::Impl::warn_undeclared(int error_bits, int known_ids, int known_contigs) {
  if (known_contigs < check_header->n[BCF_DT_CTG]) {
    warn("contig", fmt::format("{}: contig '{}' is not declared in the header (others like it are "
                               "not mentioned)",
                               place(), bcf_hdr_id2name(check_header.get(), scratch_->rid)));
  }
  if (known_ids < check_header->n[BCF_DT_ID]) {
    warn("tag", fmt::format("{}: '{}' of FILTER or INFO is not declared in the header (others like "
                            "it are not mentioned)",
                            place(), check_header->id[BCF_DT_ID][known_ids].key));
  }
  constexpr int undeclared = BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF;
  if ((error_bits & ~undeclared) != 0) {
    warn("invalid", fmt::format("{}: htslib finds a number out of range or an invalid character; "
                                "text passes as it is, BCF cannot hold it",
                                place()));
  }
}

}  // namespace ssmgen::io
