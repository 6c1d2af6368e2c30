#pragma once
// A file of sequences, whatever its format.

#include <functional>
#include <memory>
#include <string>

#include "io/hts_threads.hpp"
#include "io/sequence_source.hpp"

namespace ssmgen::io {

/// What to read and how; the names are those of the command line.
struct SequenceFileOptions {
  /// FASTA (plain, gzip or bgzip), SAM, BAM or CRAM, told apart by content; "-" for standard input.
  std::string path = "-";
  /// Leaves letters away: the lengths are the same.
  bool lengths_only = false;
  /// Threads for decompression; null for none.
  const HtsThreads* threads = nullptr;
};

struct SequenceFile {
  std::unique_ptr<SequenceSource> source;
  bool holds_reads = false;
};

/// Opens the file and looks at its beginning.
/// @throws FormatError when it cannot be read or is something else
/// @throws InvalidArgument for an option that does not fit what the file is
SequenceFile open_sequence_file(const SequenceFileOptions& options);

}  // namespace ssmgen::io
