#include "tasks/embed_table.hpp"

#include <fmt/format.h>

namespace ssmgen::tasks {

std::string EmbedTable::columns() const {
  std::string text = "id\tcontig\tbegin\tend\tstrand";
  if (per_window) text += "\toffset";
  if (of_reads) text += "\tflag\tmapq\tread_group";
  if (is_sidecar) text += "\trow\trows";
  if (is_pooled) text += "\tbases";
  return text;
}

std::string EmbedTable::line(const io::SequenceRecord& record, std::int64_t offset,
                             std::int64_t length, std::int64_t first_row, std::int64_t rows,
                             std::int64_t bases) const {
  std::int64_t begin = record.begin;
  std::int64_t end = record.end;
  // A read's bases are not one to one those of the reference, so its windows keep its place.
  if (!of_reads) {
    begin = record.strand == '-' ? record.end - offset - length : record.begin + offset;
    end = begin + length;
  }
  std::string text =
      fmt::format("{}\t{}\t{}\t{}\t{}", record.name, record.contig.empty() ? "." : record.contig,
                  begin, end, record.strand);
  if (per_window) text += fmt::format("\t{}", offset);
  if (of_reads) {
    text += fmt::format("\t{}\t{}\t{}", record.flag, record.mapq,
                        record.read_group.empty() ? "." : record.read_group);
  }
  if (is_sidecar) text += fmt::format("\t{}\t{}", first_row, rows);
  if (is_pooled) text += fmt::format("\t{}", bases);
  return text;
}

}  // namespace ssmgen::tasks
