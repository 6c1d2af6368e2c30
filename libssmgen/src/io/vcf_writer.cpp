#include "io/vcf_writer.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "io/vcf_reader_impl.hpp"
#include "io/vcf_sink.hpp"

namespace ssmgen::io {
namespace {

// .tbi has bins for this many bases only.
constexpr std::int64_t kTbiLimitBases = std::int64_t{1} << 29;
constexpr int kCsiMinShift = 14;

const char* index_suffix(VcfIndexKind kind) {
  return kind == VcfIndexKind::csi ? ".csi" : ".tbi";
}

void check_options(const VcfWriterOptions& options) {
  if (options.format.level < -1 || options.format.level > 9) {
    throw InvalidArgument(
        fmt::format("output level: expected 0 to 9, got {}", options.format.level));
  }
  for (const std::string& line : options.header_lines) {
    if (!line.starts_with("##") || line.find('\n') != std::string::npos) {
      throw InvalidArgument(
          fmt::format("header line: expected one line that begins with ##, got '{}'", line));
    }
  }
  if (options.index == VcfIndexKind::none) return;
  const VcfOutputType type = options.format.type;
  if (options.path == "-") {
    throw InvalidArgument("write-index: standard output cannot have an index; name a file with -o");
  }
  if (type == VcfOutputType::vcf || type == VcfOutputType::bcf_uncompressed) {
    throw InvalidArgument(
        fmt::format("write-index: only compressed output can be indexed; -O {} is not, use -O z or "
                    "-O b",
                    static_cast<char>(type)));
  }
  if (type == VcfOutputType::bcf && options.index == VcfIndexKind::tbi) {
    throw InvalidArgument("write-index: BCF takes csi, not tbi");
  }
}

}  // namespace

VcfOutputFormat choose_vcf_format(std::string_view output_type, std::string_view path) {
  VcfOutputFormat format;
  if (output_type.empty()) {
    if (path.ends_with(".bcf")) {
      format.type = VcfOutputType::bcf;
    } else if (path.ends_with(".vcf.gz") || path.ends_with(".vcf.bgz")) {
      format.type = VcfOutputType::vcf_bgzip;
    }
    return format;
  }
  const bool known = std::string_view("vzbu").find(output_type[0]) != std::string_view::npos;
  const bool has_level = output_type.size() == 2 && output_type[1] >= '0' && output_type[1] <= '9';
  if (!known || (output_type.size() > 1 && !has_level)) {
    throw InvalidArgument(
        fmt::format("output type: expected v, z, b or u, and a level 0 to 9 behind it where wanted "
                    "(z9), got '{}'",
                    output_type));
  }
  format.type = static_cast<VcfOutputType>(output_type[0]);
  if (has_level) format.level = output_type[1] - '0';
  return format;
}

std::string record_place(std::string_view file, const VcfRecord& record) {
  return fmt::format("{}: record {} ({}:{})", file, record.record_number, record.contig,
                     record.position + 1);
}

void check_info_field(const InfoField& field, const VcfRecord& record) {
  const auto fail = [&](const std::string& what) {
    throw InvalidArgument(fmt::format("record {} ({}:{}): INFO/{}: {}", record.record_number,
                                      record.contig, record.position + 1, field.id, what));
  };
  if (const auto* floats = std::get_if<std::vector<float>>(&field.values)) {
    for (float value : *floats) {
      if (std::isinf(value)) fail("expected a finite number, got infinity");
    }
    return;
  }
  for (const std::string& text : std::get<std::vector<std::string>>(field.values)) {
    for (char letter : text) {
      const auto code = static_cast<unsigned char>(letter);
      if (code <= ' ' || code == 127 || letter == ',' || letter == ';' || letter == '=') {
        fail(fmt::format("'{}' has a character that INFO cannot hold", text));
      }
    }
  }
}

struct VcfWriter::Impl {
  Impl(VcfWriterOptions given, const VcfReader& reader)
      : options((check_options(given), std::move(given))),
        file(options.path, reader.impl().options.path) {
    const VcfHeaderText header =
        make_output_header(reader.impl().header_text, options.contigs, options.header_lines);
    const bool is_text = options.format.type == VcfOutputType::vcf ||
                         options.format.type == VcfOutputType::vcf_bgzip;
    sink = is_text ? make_text_sink(file, options, header, reader)
                   : make_bcf_sink(file, options, header, reader);
  }

  // Builds the index of the finished file under a temporary name; its path, or empty with
  // `complaint` set where the records cannot be indexed.
  std::string build_index(std::string& complaint) const {
    if (!order.sorted()) {
      complaint = fmt::format("the records are not sorted: {}; sort them with bcftools sort",
                              order.complaint());
      return {};
    }
    const bool is_tbi = options.index == VcfIndexKind::tbi;
    if (is_tbi && largest_position >= kTbiLimitBases) {
      complaint = fmt::format("a tbi index holds positions up to {}, there is {}; use csi",
                              kTbiLimitBases, largest_position + 1);
      return {};
    }
    std::string index = file.final_path() + index_suffix(options.index) + ".part";
    const int status = bcf_index_build3(file.temporary_path().c_str(), index.c_str(),
                                        is_tbi ? 0 : kCsiMinShift, 0);
    if (status == 0) return index;
    throw DeviceError(fmt::format(
        "{}: the index cannot be made or written (htslib status {}); the records are complete in "
        "{}; try: bcftools index",
        index, status, file.temporary_path()));
  }

  VcfWriterOptions options;
  OutputFile file;
  std::unique_ptr<VcfSink> sink;
  OrderCheck order;
  std::int64_t largest_position = -1;
  std::int64_t records_written = 0;
  bool is_closed = false;
};

VcfWriter::VcfWriter(VcfWriterOptions options, const VcfReader& reader)
    : impl_(std::make_unique<Impl>(std::move(options), reader)) {}
VcfWriter::~VcfWriter() = default;

void VcfWriter::write(VcfRecord& record, std::span<const InfoField> fields) {
  if (impl_->is_closed) throw InvalidArgument("VcfWriter: write after close");
  for (const InfoField& field : fields) check_info_field(field, record);
  impl_->sink->write(record, fields);
  impl_->order.add(record.contig, record.position);
  impl_->largest_position = std::max(impl_->largest_position, record.position);
  ++impl_->records_written;
}

void VcfWriter::close() {
  if (impl_->is_closed) throw InvalidArgument("VcfWriter: closed twice");
  impl_->is_closed = true;
  impl_->sink->finish();
  impl_->sink.reset();
  impl_->file.sync();
  std::string index;
  std::string complaint;
  if (impl_->options.index != VcfIndexKind::none && impl_->file.is_regular()) {
    index = impl_->build_index(complaint);
  }
  impl_->file.commit();
  if (!index.empty()) {
    rename_output(index, index.substr(0, index.size() - std::string_view(".part").size()));
  }
  if (!complaint.empty()) {
    throw FormatError(
        fmt::format("{}: written, but it cannot be indexed: {}", impl_->file.name(), complaint));
  }
}

std::int64_t VcfWriter::records_written() const {
  return impl_->records_written;
}

}  // namespace ssmgen::io
