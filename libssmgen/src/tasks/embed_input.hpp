#pragma once
// What `ssmgen embed` reads: records of a file, or regions of a genome.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ssmgen/embed.hpp>
#include <string>
#include <vector>

#include "io/bed_reader.hpp"
#include "io/fasta.hpp"
#include "io/hts_threads.hpp"
#include "io/sequence_file.hpp"

namespace ssmgen::tasks {

class EmbedInput {
 public:
  /// @throws InvalidArgument for options that do not fit together, FormatError as the readers do
  EmbedInput(const EmbedOptions& options, const io::HtsThreads& threads, EmbedObserver& observer);

  /// True for a pipe: it can be read once, so nobody knows beforehand how much it holds.
  bool is_stream() const { return is_stream_; }
  bool holds_reads() const { return holds_reads_; }
  /// "FASTA", "BED regions", "reads".
  std::string kind() const;
  /// The file that outputs must not replace.
  const std::string& path() const;

  /// The records from the first on; of a stream once.
  std::unique_ptr<io::SequenceSource> open(bool lengths_only);

  /// For the provenance.
  nlohmann::ordered_json describe();

 private:
  io::SequenceFile open_file(bool lengths_only) const;

  const EmbedOptions& options_;
  const io::HtsThreads& threads_;
  EmbedObserver& observer_;
  bool is_stream_ = false;
  bool holds_reads_ = false;
  std::unique_ptr<io::SequenceSource> stream_;  // opened to see what it is
  std::optional<io::Fasta> genome_;             // of the regions
  std::vector<io::BedRegion> regions_;
};

}  // namespace ssmgen::tasks
