#pragma once
// The records of a FASTA file from first to last: no index, any compression, standard input too.
// Internal to this folder: open_sequence_file() opens one.

#include <memory>

#include "io/hts_threads.hpp"
#include "io/sequence_source.hpp"

namespace ssmgen::io {

struct InputFile;

class FastaStream : public SequenceSource {
 public:
  /// Takes the input over.
  /// @param lengths_only leaves the letters away
  /// @throws FormatError when the file cannot be read or is not FASTA
  FastaStream(InputFile& input, const HtsThreads* threads, bool lengths_only);
  ~FastaStream() override;

  bool next(SequenceRecord& record) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
