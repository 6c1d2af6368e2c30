#pragma once
// The regions of -r, -R, -t and -T. Internal to this folder.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "genome/region.hpp"
#include "io/vcf_reader.hpp"

namespace ssmgen::io {

/// Regions by contig, sorted, with those that touch or overlap made one. Begins at -1 where a whole
/// contig is meant, so that POS 0 is in it.
class RegionSet {
 public:
  /// An empty set: every test is false.
  RegionSet() = default;
  explicit RegionSet(const std::vector<genome::Region>& regions);

  /// True when a region holds a position of [first, last]; first may be last + 1 (an insertion),
  /// which lies in a region that holds both its neighbours.
  bool touches(std::string_view contig, std::int64_t first, std::int64_t last) const;

  /// The merged regions, contigs in order of first appearance.
  const std::vector<genome::Region>& regions() const { return merged_; }

 private:
  struct Span {
    std::int64_t begin;
    std::int64_t end;
  };
  struct TransparentHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::vector<Span>, TransparentHash, std::equal_to<>> spans_;
  std::vector<genome::Region> merged_;
};

/// Reads "chr1,chr2:10,chr3:5-9,{HLA:1}:7-". `is_contig` says whether a whole item names a contig:
/// an item whose name holds a colon.
/// @throws InvalidArgument naming the item
std::vector<genome::Region> parse_regions(std::string_view text, std::string_view option,
                                          const std::function<bool(std::string_view)>& is_contig);

/// Reads a file of regions: BED by its name, else CHROM POS [END]; plain, gzip or bgzip.
/// @throws FormatError naming file and line
std::vector<genome::Region> read_regions_file(const std::string& path);

}  // namespace ssmgen::io
