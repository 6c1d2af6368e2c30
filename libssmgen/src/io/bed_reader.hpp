#pragma once
// The regions of a BED file as records: order, names and strands kept.

#include <cstdint>
#include <string>
#include <vector>

#include "io/fasta.hpp"
#include "io/sequence_source.hpp"

namespace ssmgen::io {

/// A line of a BED file.
struct BedRegion {
  std::string contig;
  std::int64_t begin = 0;  ///< 0-based, half-open
  std::int64_t end = 0;
  std::string name;   ///< column 4; "contig:begin-end", 1-based and closed, where there is none
  char strand = '+';  ///< column 6; '+' where there is none
  std::int64_t line = 0;
};

/// Reads a BED file of 3 to 12 columns: plain, gzip or bgzip; "-" for standard input.
/// @throws FormatError naming file and line
std::vector<BedRegion> read_bed(const std::string& path);

/// The sequences of regions of a genome; those on the minus strand as their reverse complement.
class BedSource : public SequenceSource {
 public:
  /// @param path names the BED file in messages
  /// @throws FormatError naming file and line of a region that does not lie on the genome
  BedSource(std::string path, std::vector<BedRegion> regions, Fasta& fasta, bool lengths_only);

  bool next(SequenceRecord& record) override;

 private:
  std::string path_;
  std::vector<BedRegion> regions_;
  Fasta& fasta_;
  bool lengths_only_;
  std::size_t at_ = 0;
};

}  // namespace ssmgen::io
