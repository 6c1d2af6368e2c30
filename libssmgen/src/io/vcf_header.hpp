#pragma once
// Headers of VCF files as lines and as htslib's tables. Internal to this folder.

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "genome/contig_names.hpp"
#include "io/hts_internal.hpp"

namespace ssmgen::io {

/// The eight columns every record has.
inline constexpr std::string_view kFixedColumns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
inline constexpr int kFixedColumnCount = 8;

/// A header as text.
struct VcfHeaderText {
  /// Lines that begin with "##".
  std::vector<std::string> lines;
  /// The line of column names; empty while it is not known.
  std::string column_line;
};

/// Cuts a text of header lines.
VcfHeaderText split_header(std::string_view text);

/// The sample names of a column line.
std::vector<std::string> sample_names(std::string_view column_line);

/// Columns of a line: tabs + 1.
int count_columns(std::string_view line);

/// htslib's tables of a header; null when it cannot be parsed.
HeaderPtr parse_header(const VcfHeaderText& text);

/// Contigs a header declares.
std::vector<genome::Contig> declared_contigs(const bcf_hdr_t* header);

/// The IDs of the INFO lines.
std::unordered_set<std::string> declared_info(const bcf_hdr_t* header);

/// The ID of a "##KEY=<ID=...>" line of this key ("INFO"); empty for any other line.
std::string_view line_id(std::string_view line, std::string_view key);

/// The header of an output: the input's lines in order, without those INFO lines that `added` has
/// too; then contigs the input lacks; then `added`; ##fileformat first, whatever the input has.
VcfHeaderText make_output_header(const VcfHeaderText& input,
                                 const std::vector<genome::Contig>& contigs,
                                 const std::vector<std::string>& added);

}  // namespace ssmgen::io
