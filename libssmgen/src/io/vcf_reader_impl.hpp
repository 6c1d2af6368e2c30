#pragma once
// The state of a VcfReader; VcfWriter looks at its header. Internal to this folder.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "io/region_set.hpp"
#include "io/vcf_header.hpp"
#include "io/vcf_reader.hpp"
#include "io/vcf_source.hpp"
#include "io/vcf_text.hpp"

namespace ssmgen::io {

/// Says whether records come in an order that can be indexed.
class OrderCheck {
 public:
  /// Takes the next record's place in; true while all is sorted.
  bool add(std::string_view contig, std::int64_t position);
  bool sorted() const { return sorted_; }
  /// What broke the order first; empty while it holds.
  const std::string& complaint() const { return complaint_; }

 private:
  bool sorted_ = true;
  std::int64_t count_ = 0;
  std::string contig_;
  std::int64_t position_ = 0;
  std::unordered_set<std::string> left_;
  std::string complaint_;
};

struct VcfReader::Impl {
  explicit Impl(VcfReaderOptions given);

  bool read(VcfRecord& record);

  VcfReaderOptions options;
  std::string name;  ///< the path, or "standard input"
  bool is_stdin = false;
  bool is_bcf = false;
  std::int64_t bytes_total = -1;
  std::int64_t records_read = 0;
  OrderCheck order;

  VcfHeaderText header_text;
  std::vector<std::string> samples;
  std::vector<genome::Contig> contigs;
  std::unordered_set<std::string> info_ids;

  /// Columns each line must have; 0 until the first record where there is no #CHROM line.
  int column_count = 0;
  std::optional<VcfLineSource> lines;
  std::optional<BcfSource> bcf;
  /// Text: the header without samples, to which htslib adds what records use undeclared.
  HeaderPtr check_header;

 private:
  void open_text(InputFile& input);
  void read_text_header();
  void end_text_header(bool has_column_line);
  void open_bcf(InputFile& input);
  void set_regions();
  void set_targets();
  bool read_text(VcfRecord& record);
  bool read_bcf(VcfRecord& record);
  void check_columns(const VcfColumns& columns, std::string_view line, LineEnd end) const;
  void check_by_htslib(const VcfColumns& columns);
  void warn_undeclared(int error_bits, int known_ids, int known_contigs);
  void warn(const std::string& kind, const std::string& text);
  bool wanted(const VcfRecord& record, const bcf1_t& parsed) const;
  std::string place() const;
  std::string place(std::string_view contig, std::string_view position) const;
  [[noreturn]] void throw_damage(const InputDamage& damage) const;

  BcfPtr scratch_;
  KString scratch_line_;
  RegionSet regions_;
  RegionSet targets_;
  bool has_regions_ = false;
  bool has_targets_ = false;
  bool targets_exclude_ = false;
  std::set<std::string> warned_;
};

}  // namespace ssmgen::io
