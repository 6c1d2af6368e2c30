#pragma once
// Sequences to embed, one after the other, wherever they come from.

#include <cstdint>
#include <string>

namespace ssmgen::io {

/// A sequence and where it lies.
struct SequenceRecord {
  std::string name;
  std::string letters;      ///< upper case; left empty by a source that was asked for lengths alone
  std::int64_t length = 0;  ///< of the letters
  std::string contig;       ///< empty where it lies nowhere
  std::int64_t begin = -1;  ///< on the contig, 0-based, half-open; -1 where it lies nowhere
  std::int64_t end = -1;
  char strand =
      '.';  ///< '+' or '-': of a region the strand that is read, of a read its alignment's
  // Of reads alone.
  int flag = -1;
  int mapq = -1;
  std::string read_group;
};

class SequenceSource {
 public:
  virtual ~SequenceSource() = default;

  /// Reads the next record, in the order of the file; false at the end.
  /// @throws FormatError naming file and record
  virtual bool next(SequenceRecord& record) = 0;

  /// Records passed over so far because they hold no sequence.
  virtual std::int64_t without_sequence() const { return 0; }
};

}  // namespace ssmgen::io
