#pragma once
// Records of a VCF or BCF file, in order, each once.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "genome/contig_names.hpp"
#include "io/hts_threads.hpp"
#include "io/vcf_record.hpp"

namespace ssmgen::io {

/// When a record counts as inside a region: bcftools' --regions-overlap and --targets-overlap.
enum class RegionOverlap : std::uint8_t {
  position,  ///< 0, pos: POS lies inside
  record,    ///< 1, record: any base of REF (or up to INFO/END) lies inside
  variant,   ///< 2, variant: a base that truly changes lies inside (A>- of TA>T)
};

/// Reads "0", "1", "2", "pos", "record", "variant".
/// @throws InvalidArgument for anything else
RegionOverlap parse_region_overlap(std::string_view text);

/// What to read and how; the names are those of the command line.
struct VcfReaderOptions {
  /// VCF (plain, bgzip or gzip) or BCF, told apart by content; "-" for standard input.
  std::string path = "-";
  /// -r: chr, chr:pos, chr:beg-end, chr:beg- separated by commas, 1-based; {chr:1}:5-9 where the
  /// name has a colon or comma. Needs an index. Empty for all.
  std::string regions{};
  /// -R: a file of regions: BED (0-based, by its .bed or .bed.gz name), or CHROM POS [END].
  std::string regions_file{};
  /// -t: as `regions`, but streams and needs no index; "^" before the first excludes.
  std::string targets{};
  /// -T: as `regions_file`, streaming; "^" before the name excludes.
  std::string targets_file{};
  RegionOverlap regions_overlap = RegionOverlap::record;
  RegionOverlap targets_overlap = RegionOverlap::position;
  /// Threads for decompression; null for none.
  const HtsThreads* threads = nullptr;
  /// Told once a kind what is odd but readable (undeclared contigs or tags, CRLF, no #CHROM line).
  std::function<void(const std::string&)> on_warning{};
};

/// Where the reader stands.
struct VcfProgress {
  /// Bytes of the file (compressed, when it is) behind the reader.
  std::int64_t bytes_read = 0;
  /// Size of the file, -1 for a stream.
  std::int64_t bytes_total = -1;
};

/// What an index says.
struct VcfIndexSummary {
  /// Contigs that have records, in index order, and how many.
  std::vector<std::string> contigs;
  std::vector<std::int64_t> record_counts;
  std::int64_t record_count = 0;
};

/// Reads records in file order. Not thread-safe; records may be handed to other threads.
///
/// Of a text file the line is kept byte for byte and only its first eight columns are parsed and
/// checked by htslib; the samples' columns are counted.
class VcfReader {
 public:
  /// Opens the file and reads its header.
  /// @throws FormatError for a file that is missing, unreadable, not VCF or BCF, or truncated (the
  ///   BGZF end marker is looked for first where the file is seekable), or has no index for -r
  /// @throws InvalidArgument for regions or targets that cannot be read
  explicit VcfReader(VcfReaderOptions options);
  ~VcfReader();
  VcfReader(const VcfReader&) = delete;
  VcfReader& operator=(const VcfReader&) = delete;

  /// Reads the next record into `record`; false at the end of the file.
  /// @throws FormatError for a malformed record or a truncated file; the message names path, record
  ///   number, how many records were read before and the remedy
  bool read(VcfRecord& record);

  const std::string& path() const;
  bool is_stdin() const;
  /// True for BCF.
  bool is_bcf() const;

  /// Contigs the header declares; length -1 where it does not say.
  const std::vector<genome::Contig>& declared_contigs() const;
  const std::vector<std::string>& samples() const;
  /// True when the header declares INFO/id.
  bool has_info(std::string_view id) const;
  /// Lines of the header that begin with "##", in order.
  const std::vector<std::string>& header_lines() const;
  /// The #CHROM line; made up when the file has none.
  const std::string& column_line() const;

  /// Records read so far, those outside the targets included.
  std::int64_t records_read() const;
  /// False once a record came before its predecessor or a contig came back.
  bool sorted_so_far() const;
  VcfProgress progress() const;
  /// What the file's index says; nothing when there is none.
  std::optional<VcfIndexSummary> index_summary() const;

  /// For the files of this folder.
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
