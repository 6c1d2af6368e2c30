#pragma once
// A file of sequences, whatever its format.

#include <cstdint>
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

  // Of reads alone.
  /// The genome that a CRAM refers to. Without it the file's own copies and local caches (REF_PATH,
  /// REF_CACHE) are asked; the network never is.
  std::string cram_fasta{};
  /// Reads that overlap these: chr, chr:pos, chr:beg-end, chr:beg- separated by commas, 1-based.
  /// Needs an index.
  std::string regions{};
  /// As samtools: names separated by commas, or a number in decimal, octal (0) or hexadecimal (0x).
  std::string require_flags{};
  std::string exclude_flags{};
  std::int64_t min_mapq = 0;
  /// Reads of the reverse strand as the machine read them, in place of as they are stored.
  bool as_sequenced = false;
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
