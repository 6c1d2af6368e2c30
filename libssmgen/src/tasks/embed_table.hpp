#pragma once
// The text that says of each row what it is: the sidecar of an array, or the first columns of a
// TSV.

#include <string>

#include "io/sequence_source.hpp"

namespace ssmgen::tasks {

/// Which columns there are.
struct EmbedTable {
  bool is_sidecar = true;   ///< row and rows: where they stand in the array
  bool per_window = false;  ///< offset: where the window begins in the record
  bool of_reads = false;    ///< flag, mapq, read_group
  bool is_pooled = false;   ///< bases: how many were pooled

  std::string columns() const;
  /// Without the line's end. `offset` and `length` lie in the record, in the direction it is read.
  std::string line(const io::SequenceRecord& record, std::int64_t offset, std::int64_t length,
                   std::int64_t first_row, std::int64_t rows, std::int64_t bases) const;
};

}  // namespace ssmgen::tasks
