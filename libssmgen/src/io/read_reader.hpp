#pragma once
// Reads of a SAM, BAM or CRAM file. Internal to this folder: open_sequence_file() opens one.

#include <memory>

#include "io/sequence_file.hpp"
#include "io/sequence_source.hpp"

namespace ssmgen::io {

struct InputFile;

class ReadReader : public SequenceSource {
 public:
  /// Takes the input over.
  /// @throws FormatError when it is truncated, has no readable header, or no index for regions
  /// @throws InvalidArgument for flags or regions that cannot be read
  ReadReader(InputFile& input, const SequenceFileOptions& options);
  ~ReadReader() override;

  bool next(SequenceRecord& record) override;
  std::int64_t without_sequence() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
