#pragma once
// One line of a VCF file. Internal to this folder.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/hts_internal.hpp"
#include "io/vcf_header.hpp"

namespace ssmgen::io {

/// The fixed columns of a line; the views point into it.
struct VcfColumns {
  std::array<std::string_view, kFixedColumnCount> column;
  /// Fixed columns that are there: 8, 7 where INFO is missing, or fewer.
  int fixed = 0;
  /// All columns of the line.
  int total = 0;
};

VcfColumns split_columns(std::string_view line);

/// POS as 0-based position; -2 when it is not a number that htslib takes.
std::int64_t parse_position(std::string_view text);

/// Fills what a record shows from a line, and keeps the line.
void fill_record(const VcfColumns& columns, std::string_view line, VcfRecord& record);

/// Splices fields into the INFO column of a line.
///
/// @param ids keys that are removed from INFO first
/// @param added "KEY=VALUE" texts joined by ';', empty for none
void append_with_info(const VcfRecord::Payload& payload, std::string_view line,
                      const std::vector<std::string_view>& ids, std::string_view added,
                      std::string& out);

}  // namespace ssmgen::io
