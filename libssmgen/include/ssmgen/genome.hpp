#pragma once
// Where sequences come from: a FASTA, or whatever holds them in the caller's program. Every folder
// of the project may include this header.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ssmgen {

/// Name and length of a contig; length -1 when it is not known.
struct GenomeContig {
  std::string name;
  std::int64_t length = -1;

  bool operator==(const GenomeContig&) const = default;
};

/// Random access to the sequences of a genome. The library calls it from the thread that called the
/// library alone; what it throws ends that call.
class Genome {
 public:
  virtual ~Genome() = default;
  /// What messages call it: a path, or a word.
  virtual const std::string& name() const = 0;
  /// Names, all different, and lengths.
  virtual const std::vector<GenomeContig>& contigs() const = 0;
  /// The bases [begin, end) of contigs()[contig] in upper case, as all of `letters`.
  virtual void fetch(std::int64_t contig, std::int64_t begin, std::int64_t end,
                     std::string& letters) = 0;

 protected:
  Genome() = default;
  Genome(const Genome&) = default;
  Genome& operator=(const Genome&) = default;
};

/// A FASTA file, plain or bgzip; its index is made beside it, or in memory where the folder cannot
/// be written.
/// @throws FormatError when the file is missing, is no FASTA or its index does not fit it.
std::unique_ptr<Genome> open_fasta(
    const std::string& path, const std::function<void(const std::string&)>& on_warning = nullptr);

/// A stretch of a contig.
struct GenomeRegion {
  std::string contig;
  std::int64_t begin = 0;  ///< 0-based, half-open
  std::int64_t end = 0;
  bool minus_strand = false;
};

/// The bases of regions; of those on the minus strand the reverse complement.
/// @throws InvalidArgument for a region that does not lie on the genome, naming it by its number
///   from 1.
std::vector<std::string> fetch_regions(Genome& genome, std::span<const GenomeRegion> regions);

}  // namespace ssmgen
