#include "io/bed_reader.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"
#include "io/byte_source.hpp"

namespace ssmgen::io {
namespace {

std::optional<std::int64_t> parse_position(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// Columns are parted by tabs, where there are any, since names may hold blanks; else by blanks.
std::vector<std::string_view> columns_of(std::string_view line) {
  const char* separators = line.find('\t') != std::string_view::npos ? "\t" : " ";
  std::vector<std::string_view> columns;
  std::size_t at = 0;
  while (at <= line.size() && columns.size() < 6) {
    const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
    if (end > at || *separators == '\t') columns.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return columns;
}

BedRegion parse_line(const std::string& path, std::int64_t number, std::string_view line) {
  const auto fail = [&](std::string_view what) {
    throw FormatError(
        fmt::format("{}: line {}: {}, got '{}'", path, number, what, line.substr(0, 80)));
  };
  const std::vector<std::string_view> columns = columns_of(line);
  if (columns.size() < 3) fail("expected CHROM BEGIN END [NAME SCORE STRAND]");
  BedRegion region;
  region.line = number;
  region.contig = columns[0];
  const auto begin = parse_position(columns[1]);
  const auto end = parse_position(columns[2]);
  if (region.contig.empty() || !begin || !end) {
    fail("expected CHROM BEGIN END, 0-based whole numbers");
  }
  region.begin = *begin;
  region.end = *end;
  if (region.end <= region.begin) fail("expected an END above BEGIN");
  if (columns.size() > 3 && !columns[3].empty() && columns[3] != ".") {
    region.name = columns[3];
  } else {
    region.name = fmt::format("{}:{}-{}", region.contig, region.begin + 1, region.end);
  }
  if (columns.size() > 5) {
    const std::string_view strand = columns[5];
    if (strand != "+" && strand != "-" && strand != "." && !strand.empty()) {
      fail("expected a strand of +, - or .");
    }
    region.strand = strand == "-" ? '-' : '+';
  }
  return region;
}

}  // namespace

std::vector<BedRegion> read_bed(const std::string& path) {
  InputFile input = open_input(path);
  const std::string name = input.path;
  std::vector<BedRegion> regions;
  std::int64_t number = 0;
  try {
    LineReader lines(make_byte_source(input, nullptr));
    std::string_view line;
    LineEnd end = LineEnd::newline;
    while (lines.next(line, end)) {
      ++number;
      if (line.empty() || line.front() == '#' || line.starts_with("track") ||
          line.starts_with("browser")) {
        continue;
      }
      regions.push_back(parse_line(name, number, line));
    }
  } catch (const InputDamage& damage) {
    throw FormatError(
        fmt::format("{}: {} after line {}; {}", name, damage.what, number, truncation_remedy()));
  }
  if (regions.empty()) throw FormatError(fmt::format("{}: holds no region", name));
  return regions;
}

BedSource::BedSource(std::string path, std::vector<BedRegion> regions, Fasta& fasta,
                     bool lengths_only)
    : path_(std::move(path)),
      regions_(std::move(regions)),
      fasta_(fasta),
      lengths_only_(lengths_only) {
  for (const BedRegion& region : regions_) {
    const std::int64_t contig = fasta_.find(region.contig);
    if (contig < 0) {
      throw FormatError(
          fmt::format("{}: line {}: contig {} is not in {}, whose first is {}", path_, region.line,
                      region.contig, fasta_.path(),
                      fasta_.contigs().empty() ? "none" : fasta_.contigs().front().name));
    }
    const std::int64_t length = fasta_.contigs()[static_cast<std::size_t>(contig)].length;
    if (region.end > length) {
      throw FormatError(fmt::format(
          "{}: line {}: the region {}:{}-{} runs past the end of {}, which has {} bases in {}",
          path_, region.line, region.contig, region.begin, region.end, region.contig, length,
          fasta_.path()));
    }
  }
}

bool BedSource::next(SequenceRecord& record) {
  if (at_ == regions_.size()) return false;
  const BedRegion& region = regions_[at_++];
  record.name = region.name;
  record.contig = region.contig;
  record.begin = region.begin;
  record.end = region.end;
  record.strand = region.strand;
  record.length = region.end - region.begin;
  record.letters.clear();
  if (lengths_only_) return true;
  fasta_.fetch(fasta_.find(region.contig), region.begin, region.end, record.letters);
  if (region.strand == '-') record.letters = genome::reverse_complement(record.letters);
  return true;
}

}  // namespace ssmgen::io
