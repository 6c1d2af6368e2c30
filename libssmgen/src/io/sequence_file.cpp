#include "io/sequence_file.hpp"

#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "io/byte_source.hpp"
#include "io/fasta_stream.hpp"
#include "io/read_reader.hpp"

namespace ssmgen::io {
namespace {

bool holds_reads(const htsFormat& format) {
  return format.format == sam || format.format == bam || format.format == cram;
}

// Options of reads that would be passed over in silence.
void refuse_read_options(const SequenceFileOptions& options, const std::string& path) {
  const auto refuse = [&](bool is_given, const char* name) {
    if (!is_given) return;
    throw InvalidArgument(
        fmt::format("{} is for SAM, BAM and CRAM files, and {} is none", name, path));
  };
  refuse(!options.regions.empty(), "-r");
  refuse(!options.require_flags.empty(), "-f");
  refuse(!options.exclude_flags.empty(), "-F");
  refuse(options.min_mapq != 0, "-q");
  refuse(options.as_sequenced, "--read-orientation");
  refuse(!options.cram_fasta.empty(), "--fasta without --bed");
}

}  // namespace

SequenceFile open_sequence_file(const SequenceFileOptions& options) {
  InputFile input = open_input(options.path);
  SequenceFile file;
  file.holds_reads = holds_reads(input.format);
  if (file.holds_reads) {
    file.source = std::make_unique<ReadReader>(input, options);
  } else {
    refuse_read_options(options, input.path);
    file.source = std::make_unique<FastaStream>(input, options.threads, options.lengths_only);
  }
  return file;
}

}  // namespace ssmgen::io
