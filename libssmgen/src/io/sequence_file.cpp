#include "io/sequence_file.hpp"

#include "io/byte_source.hpp"
#include "io/fasta_stream.hpp"

namespace ssmgen::io {

SequenceFile open_sequence_file(const SequenceFileOptions& options) {
  InputFile input = open_input(options.path);
  SequenceFile file;
  file.source = std::make_unique<FastaStream>(input, options.threads, options.lengths_only);
  return file;
}

}  // namespace ssmgen::io
