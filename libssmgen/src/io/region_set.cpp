#include "io/region_set.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fmt/format.h>
#include <optional>
#include <ssmgen/errors.hpp>

#include "io/byte_source.hpp"

namespace ssmgen::io {
namespace {

using genome::Region;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// "5", "5-", "5-9", 1-based and closed, into the region's 0-based half-open form.
bool parse_range(std::string_view text, Region& region) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number(text.substr(0, dash));
  if (!first) return false;
  region.begin = *first - 1;
  region.end = *first;
  if (dash == std::string_view::npos) return true;
  const std::string_view rest = text.substr(dash + 1);
  if (rest.empty()) {
    region.end = Region::kToTheEnd;
    return true;
  }
  const auto last = parse_number(rest);
  if (!last || *last < *first) return false;
  region.end = *last;
  return true;
}

Region parse_region(std::string_view item, std::string_view option,
                    const std::function<bool(std::string_view)>& is_contig) {
  const auto fail = [&]() -> Region {
    throw InvalidArgument(fmt::format(
        "{}: expected chr, chr:pos, chr:beg-end or chr:beg- (1-based, {{name}}:beg-end for a name "
        "with a colon), got '{}'",
        option, item));
  };
  if (item.empty()) return fail();
  Region region;
  std::string_view range;
  if (item.front() == '{') {
    const std::size_t close = item.find('}');
    if (close == std::string_view::npos || close == 1) return fail();
    region.contig = item.substr(1, close - 1);
    range = item.substr(close + 1);
    if (!range.empty() && range.front() != ':') return fail();
    if (!range.empty()) range.remove_prefix(1);
    if (range.empty() && item.back() == ':') return fail();
  } else {
    const std::size_t colon = item.rfind(':');
    const bool whole = colon == std::string_view::npos || is_contig(item);
    region.contig = whole ? item : item.substr(0, colon);
    if (!whole) range = item.substr(colon + 1);
    if (!whole && (range.empty() || colon == 0)) return fail();
  }
  if (range.empty()) {
    region.begin = -1;
    return region;
  }
  return parse_range(range, region) ? region : fail();
}

bool has_bed_name(std::string_view path) {
  for (std::string_view suffix : {".bed", ".bed.gz", ".bed.bgz"}) {
    if (path.ends_with(suffix)) return true;
  }
  return false;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (words.size() < 3) {
    at = line.find_first_not_of(" \t", at);
    if (at == std::string_view::npos) break;
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

bool parse_line(std::string_view line, bool is_bed, Region& region) {
  const std::vector<std::string_view> words = split_words(line);
  if (words.size() < (is_bed ? 3U : 2U)) return false;
  region.contig = words[0];
  const auto begin = parse_number(words[1]);
  // The third column of a VCF file is its ID: then a line means one position, as in bcftools.
  const auto end = words.size() > 2 ? parse_number(words[2]) : std::nullopt;
  if (!begin || (is_bed && !end)) return false;
  region.begin = is_bed ? *begin : *begin - 1;
  region.end = end ? *end : *begin;
  return region.end > region.begin;
}

}  // namespace

RegionSet::RegionSet(const std::vector<Region>& regions) {
  std::vector<std::string> order;
  for (const Region& region : regions) {
    auto& spans = spans_[region.contig];
    if (spans.empty()) order.push_back(region.contig);
    spans.push_back({region.begin, region.end});
  }
  for (const std::string& contig : order) {
    auto& spans = spans_[contig];
    std::sort(spans.begin(), spans.end(),
              [](const Span& a, const Span& b) { return a.begin < b.begin; });
    std::vector<Span> merged;
    for (const Span& span : spans) {
      if (!merged.empty() && span.begin <= merged.back().end) {
        merged.back().end = std::max(merged.back().end, span.end);
      } else {
        merged.push_back(span);
      }
    }
    spans = std::move(merged);
    for (const Span& span : spans) merged_.push_back({contig, span.begin, span.end});
  }
}

bool RegionSet::touches(std::string_view contig, std::int64_t first, std::int64_t last) const {
  const auto found = spans_.find(contig);
  if (found == spans_.end()) return false;
  const std::vector<Span>& spans = found->second;
  auto after = std::upper_bound(
      spans.begin(), spans.end(), last,
      [](std::int64_t position, const Span& span) { return position < span.begin; });
  return after != spans.begin() && std::prev(after)->end > first;
}

std::vector<Region> parse_regions(std::string_view text, std::string_view option,
                                  const std::function<bool(std::string_view)>& is_contig) {
  std::vector<Region> regions;
  std::size_t begin = 0;
  bool braced = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '{' && i == begin) braced = true;
    if (i < text.size() && text[i] == '}') braced = false;
    if (i == text.size() || (text[i] == ',' && !braced)) {
      regions.push_back(parse_region(text.substr(begin, i - begin), option, is_contig));
      begin = i + 1;
    }
  }
  return regions;
}

std::vector<Region> read_regions_file(const std::string& path) {
  InputFile input = open_input(path);
  const std::string name = input.path;
  const bool is_bed = has_bed_name(path);
  std::vector<Region> regions;
  std::int64_t line_number = 0;
  try {
    LineReader lines(make_byte_source(input, nullptr));
    std::string_view line;
    LineEnd end = LineEnd::newline;
    while (lines.next(line, end)) {
      ++line_number;
      if (line.empty() || line.front() == '#' || line.starts_with("track") ||
          line.starts_with("browser")) {
        continue;
      }
      Region region;
      if (!parse_line(line, is_bed, region)) {
        throw FormatError(
            fmt::format("{}: line {}: expected {}, got '{}'", name, line_number,
                        is_bed ? "CHROM BEGIN END (BED, 0-based)" : "CHROM POS [END] (1-based)",
                        line.substr(0, 80)));
      }
      regions.push_back(std::move(region));
    }
  } catch (const InputDamage& damage) {
    throw FormatError(fmt::format("{}: {} after line {}; {}", name, damage.what, line_number,
                                  truncation_remedy()));
  }
  if (regions.empty()) throw FormatError(fmt::format("{}: holds no region", name));
  return regions;
}

}  // namespace ssmgen::io
