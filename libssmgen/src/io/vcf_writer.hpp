#pragma once
// Records out again, with INFO fields added.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "genome/contig_names.hpp"
#include "io/hts_threads.hpp"
#include "io/vcf_reader.hpp"
#include "io/vcf_record.hpp"

namespace ssmgen::io {

/// bcftools' output types.
enum class VcfOutputType : char {
  vcf = 'v',               ///< plain text
  vcf_bgzip = 'z',         ///< text in BGZF blocks
  bcf = 'b',               ///< BCF in BGZF blocks
  bcf_uncompressed = 'u',  ///< BCF as it is, for pipes
};

/// Type and compression level of an output.
struct VcfOutputFormat {
  VcfOutputType type = VcfOutputType::vcf;
  /// 0 to 9; -1 for zlib's default. Means nothing for `v` and `u`.
  int level = -1;

  bool operator==(const VcfOutputFormat&) const = default;
};

/// The format that -O says (v, z, b or u, and a level: "z9"), or, where `output_type` is empty, the
/// path's suffix: .vcf.gz, .vcf.bgz, .bcf; plain text for every other name and for "-".
/// @throws InvalidArgument for an unknown type or level
VcfOutputFormat choose_vcf_format(std::string_view output_type, std::string_view path);

/// An index to write beside the output: bcftools' -W.
enum class VcfIndexKind : std::uint8_t { none, csi, tbi };

/// Where and how to write.
struct VcfWriterOptions {
  /// "-" for standard output.
  std::string path = "-";
  VcfOutputFormat format{};
  VcfIndexKind index = VcfIndexKind::none;
  /// Threads for compression; null for none.
  const HtsThreads* threads = nullptr;
  /// Lines that begin with "##", without line end, to put before #CHROM. A ##INFO line replaces the
  /// input's line of the same ID; any other line is added as it is.
  std::vector<std::string> header_lines{};
  /// Contigs to declare where the header does not: BCF needs every contig declared.
  std::vector<genome::Contig> contigs{};
};

/// A Number=A field of INFO for one record: one value an ALT, or none to leave the field out.
struct InfoField {
  std::string id;
  /// Floats, NaN for missing, written as '.'; or texts, "" for missing.
  std::variant<std::vector<float>, std::vector<std::string>> values;
};

/// Writes records in the order they are given.
///
/// Text output is the input's line with only INFO changed. Floats are printed as htslib prints them
/// (six significant digits, kputd), so text made here and text made from BCF agree; BCF holds the
/// float itself. A file is written as `<path>.part` and renamed by close(); what is not a regular
/// file (a pipe, /dev/null) is written in place. Not thread-safe.
class VcfWriter {
 public:
  /// Opens the output and writes the header.
  /// @throws InvalidArgument when the output is the input itself, is a directory, or its folder
  /// does
  ///   not exist, and for an index that the format or standard output cannot have
  /// @throws DeviceError when the file cannot be made or written
  /// @throws FormatError when a header line cannot be parsed for BCF
  VcfWriter(VcfWriterOptions options, const VcfReader& reader);
  /// Without close() before, leaves the unfinished `.part`, without an end marker.
  ~VcfWriter();
  VcfWriter(const VcfWriter&) = delete;
  VcfWriter& operator=(const VcfWriter&) = delete;

  /// Writes a record; `fields` go at the end of INFO in their order, and replace keys of the same
  /// id.
  /// @throws InvalidArgument for an infinite value or a text with a character INFO cannot hold
  /// @throws FormatError when BCF cannot hold the record (an undeclared contig or tag, ...)
  /// @throws DeviceError when writing fails (disk full), with path and the system's reason
  void write(VcfRecord& record, std::span<const InfoField> fields);

  /// Flushes, syncs to disk, builds the index and renames. Nothing may be written afterwards.
  /// @throws DeviceError when any of that fails
  /// @throws FormatError when an index was asked for and the records are not sorted: the data file
  /// is
  ///   complete and renamed by then
  void close();

  std::int64_t records_written() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
