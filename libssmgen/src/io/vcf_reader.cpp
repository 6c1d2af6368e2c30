#include "io/vcf_reader.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <new>
#include <ssmgen/errors.hpp>
#include <system_error>

#include "io/vcf_reader_impl.hpp"

namespace ssmgen::io {
namespace {

// First and last position that count for a record; an insertion's last is first - 1.
std::pair<std::int64_t, std::int64_t> extent(const VcfRecord& record, std::int64_t reference_bases,
                                             RegionOverlap overlap) {
  const std::int64_t last = record.position + reference_bases - 1;
  if (overlap == RegionOverlap::position) return {record.position, record.position};
  if (overlap == RegionOverlap::record) return {record.position, last};
  // As bcftools: what REF shares with the beginning of every ALT does not change.
  std::int64_t shared = reference_bases;
  for (const std::string& alt : record.alts) {
    const auto differs =
        std::mismatch(record.ref.begin(), record.ref.end(), alt.begin(), alt.end());
    shared = std::min<std::int64_t>(shared, differs.first - record.ref.begin());
  }
  return {record.position + shared, last};
}

}  // namespace

RegionOverlap parse_region_overlap(std::string_view text) {
  if (text == "0" || text == "pos") return RegionOverlap::position;
  if (text == "1" || text == "record") return RegionOverlap::record;
  if (text == "2" || text == "variant") return RegionOverlap::variant;
  throw InvalidArgument(
      fmt::format("overlap: expected pos, record or variant (0, 1, 2), got '{}'", text));
}

bool OrderCheck::add(std::string_view contig, std::int64_t position) {
  ++count_;
  if (contig != contig_) {
    if (count_ > 1) left_.insert(contig_);
    contig_ = contig;
    if (sorted_ && left_.contains(contig_)) {
      sorted_ = false;
      complaint_ = fmt::format("record {} is on '{}' again, after another contig", count_, contig);
    }
  } else if (sorted_ && position < position_) {
    sorted_ = false;
    complaint_ = fmt::format("record {} at {}:{} comes after {}:{}", count_, contig, position + 1,
                             contig, position_ + 1);
  }
  position_ = position;
  return sorted_;
}

VcfReader::Impl::Impl(VcfReaderOptions given) : options(std::move(given)), scratch_(bcf_init()) {
  if (scratch_ == nullptr) throw std::bad_alloc();
  InputFile input = open_input(options.path);
  name = input.path;
  is_stdin = input.is_stdin;
  bytes_total = input.size_bytes;
  if (input.format.format == ::bcf) {
    open_bcf(input);
  } else {
    open_text(input);
  }
  contigs = io::declared_contigs(is_bcf ? bcf->header() : check_header.get());
  info_ids = declared_info(is_bcf ? bcf->header() : check_header.get());
  set_regions();
  set_targets();
}

void VcfReader::Impl::open_bcf(InputFile& input) {
  is_bcf = true;
  bcf.emplace(input, options.threads);
  KString text;
  if (bcf_hdr_format(bcf->header(), 0, &text) != 0) throw std::bad_alloc();
  header_text = split_header(text.view());
  samples = sample_names(header_text.column_line);
}

void VcfReader::Impl::set_regions() {
  if (options.regions.empty() && options.regions_file.empty()) return;
  if (!options.regions.empty() && !options.regions_file.empty()) {
    throw InvalidArgument("regions: -r and -R cannot be given together");
  }
  if (is_stdin) {
    throw InvalidArgument(
        "regions: -r and -R need an index, which standard input has not; use -t or -T");
  }
  VcfIndex index;
  if (!index.load(options.path, is_bcf, is_bcf ? bcf->header() : check_header.get())) {
    const std::string found = index_path(options.path);
    const bool compressed = options.path.ends_with("gz") || is_bcf;
    throw FormatError(fmt::format(
        "{}: -r and -R need an index, and {}; make one with: {} (or use -t or -T, which need none)",
        name, found.empty() ? "there is none beside the file" : found + " cannot be read",
        compressed ? fmt::format("bcftools index -f '{}'", name)
                   : fmt::format("bgzip '{0}' && bcftools index '{0}.gz'", name)));
  }
  const std::string index_file = index_path(options.path);
  std::error_code error;
  if (std::filesystem::last_write_time(index_file, error) <
      std::filesystem::last_write_time(options.path, error)) {
    warn("index", fmt::format("{}: older than {}; if it is not its index any more, records are "
                              "missed: bcftools index -f '{}'",
                              index_file, name, name));
  }
  const auto is_contig = [&](std::string_view text) {
    const std::string contig(text);
    return index.has_contig(contig) ||
           std::any_of(contigs.begin(), contigs.end(),
                       [&](const genome::Contig& known) { return known.name == contig; });
  };
  regions_ = RegionSet(options.regions.empty() ? read_regions_file(options.regions_file)
                                               : parse_regions(options.regions, "-r", is_contig));
  has_regions_ = true;
  std::set<std::string> missing;
  for (const genome::Region& region : regions_.regions()) {
    if (!is_contig(region.contig)) missing.insert(region.contig);
  }
  if (!missing.empty()) {
    warn("regions",
         fmt::format("{}: has no contig '{}', which the regions name{}", name, *missing.begin(),
                     missing.size() == 1 ? std::string()
                                         : fmt::format(" (and {} more)", missing.size() - 1)));
  }
  ChunkCursor::Chunks chunks = index.chunks(regions_.regions());
  if (is_bcf) {
    bcf->restrict_to(std::move(chunks));
  } else {
    lines->restrict_to(options.path, std::move(chunks), options.threads);
  }
}

void VcfReader::Impl::set_targets() {
  if (options.targets.empty() && options.targets_file.empty()) return;
  if (!options.targets.empty() && !options.targets_file.empty()) {
    throw InvalidArgument("targets: -t and -T cannot be given together");
  }
  std::string_view text = options.targets.empty() ? options.targets_file : options.targets;
  targets_exclude_ = text.starts_with('^');
  if (targets_exclude_) text.remove_prefix(1);
  const auto is_contig = [&](std::string_view contig) {
    return std::any_of(contigs.begin(), contigs.end(),
                       [&](const genome::Contig& known) { return known.name == contig; });
  };
  targets_ = RegionSet(options.targets.empty() ? read_regions_file(std::string(text))
                                               : parse_regions(text, "-t", is_contig));
  has_targets_ = true;
}

bool VcfReader::Impl::wanted(const VcfRecord& record, const bcf1_t& parsed) const {
  if (has_regions_) {
    const auto [first, last] = extent(record, parsed.rlen, options.regions_overlap);
    if (!regions_.touches(record.contig, first, last)) return false;
  }
  if (has_targets_) {
    const auto [first, last] = extent(record, parsed.rlen, options.targets_overlap);
    if (targets_.touches(record.contig, first, last) == targets_exclude_) return false;
  }
  return true;
}

bool VcfReader::Impl::read(VcfRecord& record) {
  return is_bcf ? read_bcf(record) : read_text(record);
}

bool VcfReader::Impl::read_bcf(VcfRecord& record) {
  VcfRecord::Payload& payload = record.payload();
  if (payload.bcf == nullptr) payload.bcf.reset(bcf_init());
  if (payload.bcf == nullptr) throw std::bad_alloc();
  bcf1_t* parsed = payload.bcf.get();
  payload.is_bcf = true;
  for (;;) {
    try {
      if (!bcf->next(parsed)) return false;
    } catch (const InputDamage& damage) {
      throw_damage(damage);
    }
    ++records_read;
    const char* contig = bcf_hdr_id2name(bcf->header(), parsed->rid);
    if (contig == nullptr || bcf_unpack(parsed, BCF_UN_STR) != 0) {
      throw FormatError(
          fmt::format("{}: the contig or the alleles of the record cannot be read", place()));
    }
    record.contig.assign(contig);
    record.position = parsed->pos;
    record.record_number = records_read;
    record.ref.assign(parsed->n_allele > 0 ? parsed->d.allele[0] : ".");
    record.alts.resize(static_cast<std::size_t>(parsed->n_allele > 0 ? parsed->n_allele - 1 : 0));
    for (std::size_t i = 0; i < record.alts.size(); ++i) {
      record.alts[i].assign(parsed->d.allele[i + 1]);
    }
    order.add(record.contig, record.position);
    if (wanted(record, *parsed)) return true;
  }
}

void VcfReader::Impl::warn(const std::string& kind, const std::string& text) {
  if (warned_.insert(kind).second && options.on_warning) options.on_warning(text);
}

std::string VcfReader::Impl::place() const {
  return fmt::format("{}: record {}", name, records_read);
}

std::string VcfReader::Impl::place(std::string_view contig, std::string_view position) const {
  return fmt::format("{}: record {} ({}:{})", name, records_read, contig, position);
}

void VcfReader::Impl::throw_damage(const InputDamage& damage) const {
  throw FormatError(fmt::format("{}: {}; {} records were read before; {}", name, damage.what,
                                records_read, truncation_remedy()));
}

VcfReader::VcfReader(VcfReaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
VcfReader::~VcfReader() = default;

bool VcfReader::read(VcfRecord& record) {
  return impl_->read(record);
}
const std::string& VcfReader::path() const {
  return impl_->name;
}
bool VcfReader::is_stdin() const {
  return impl_->is_stdin;
}
bool VcfReader::is_bcf() const {
  return impl_->is_bcf;
}
const std::vector<genome::Contig>& VcfReader::declared_contigs() const {
  return impl_->contigs;
}
const std::vector<std::string>& VcfReader::samples() const {
  return impl_->samples;
}
bool VcfReader::has_info(std::string_view id) const {
  return impl_->info_ids.contains(std::string(id));
}
const std::vector<std::string>& VcfReader::header_lines() const {
  return impl_->header_text.lines;
}
const std::string& VcfReader::column_line() const {
  return impl_->header_text.column_line;
}
std::int64_t VcfReader::records_read() const {
  return impl_->records_read;
}
bool VcfReader::sorted_so_far() const {
  return impl_->order.sorted();
}

VcfProgress VcfReader::progress() const {
  return {impl_->is_bcf ? impl_->bcf->file_offset() : impl_->lines->file_offset(),
          impl_->bytes_total};
}

std::optional<VcfIndexSummary> VcfReader::index_summary() const {
  VcfIndex index;
  const bcf_hdr_t* header = impl_->is_bcf ? impl_->bcf->header() : impl_->check_header.get();
  if (impl_->is_stdin || !index.load(impl_->options.path, impl_->is_bcf, header)) {
    return std::nullopt;
  }
  return index.summary();
}

}  // namespace ssmgen::io
