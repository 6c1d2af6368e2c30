#pragma once

#include <cstdint>
#include <span>
#include <ssmgen/genome.hpp>
#include <vector>

namespace ssmgen::tasks {

/// The number of each region's contig.
/// @throws InvalidArgument for a region that does not lie on the genome
std::vector<std::int64_t> contigs_of_regions(const Genome& genome,
                                             std::span<const GenomeRegion> regions);

}  // namespace ssmgen::tasks
