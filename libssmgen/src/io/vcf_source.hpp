#pragma once
// Where records come from: a stream, or the parts of an indexed file that regions name. Internal
// to this folder.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "genome/region.hpp"
#include "io/byte_source.hpp"
#include "io/hts_internal.hpp"
#include "io/vcf_reader.hpp"

namespace ssmgen::io {

/// The index of a VCF or BCF file: .tbi or .csi.
class VcfIndex {
 public:
  /// The index beside `path`; false when there is none or it cannot be read.
  bool load(const std::string& path, bool is_bcf, const bcf_hdr_t* header);

  VcfIndexSummary summary() const;
  bool has_contig(const std::string& name) const { return contig_number(name) >= 0; }

  /// Virtual offsets between which all records that touch a region lie: sorted, disjoint.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> chunks(
      const std::vector<genome::Region>& regions) const;

 private:
  int contig_number(const std::string& name) const;

  TabixPtr tabix_;
  IndexPtr csi_;
  const hts_idx_t* index_ = nullptr;
  const bcf_hdr_t* header_ = nullptr;
};

/// The file of an index beside `path`; empty when there is none.
std::string index_path(const std::string& path);

/// Walks through chunks of a BGZF file.
class ChunkCursor {
 public:
  using Chunks = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  explicit ChunkCursor(Chunks chunks) : chunks_(std::move(chunks)) {}

  /// Brings the file to the next record inside a chunk; false behind the last one.
  /// @throws InputDamage when the file cannot be brought there
  bool advance(BGZF* file);

 private:
  Chunks chunks_;
  std::size_t at_ = 0;
  bool inside_ = false;
};

/// Lines of a text file.
class VcfLineSource {
 public:
  /// Reads the whole file.
  VcfLineSource(InputFile& input, const HtsThreads* threads);

  /// From now on only the chunks of `path`, which is BGZF.
  void restrict_to(const std::string& path, ChunkCursor::Chunks chunks, const HtsThreads* threads);

  /// As LineReader::next. A line that was put back comes first.
  bool next(std::string_view& line, LineEnd& end);

  /// Makes the last line come again.
  void put_back() { is_put_back_ = true; }

  std::int64_t file_offset() const;

 private:
  std::optional<LineReader> lines_;
  BgzfPtr file_;
  std::optional<ChunkCursor> cursor_;
  KString buffer_;
  std::string_view last_line_;
  LineEnd last_end_ = LineEnd::newline;
  bool is_put_back_ = false;
};

/// Records of a BCF file.
class BcfSource {
 public:
  /// @throws FormatError when it is not BCF or truncated
  BcfSource(InputFile& input, const HtsThreads* threads);

  bcf_hdr_t* header() const { return header_.get(); }
  void restrict_to(ChunkCursor::Chunks chunks) { cursor_.emplace(std::move(chunks)); }

  /// The next record; false at the end. @throws InputDamage
  bool next(bcf1_t* record);

  std::int64_t file_offset() const;

 private:
  HtsFilePtr file_;
  HeaderPtr header_;
  std::optional<ChunkCursor> cursor_;
};

}  // namespace ssmgen::io
