#include "tasks/genome.hpp"

#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <string_view>
#include <unordered_map>

#include "genome/bases.hpp"
#include "io/fasta.hpp"

namespace ssmgen {

std::unique_ptr<Genome> open_fasta(const std::string& path,
                                   const std::function<void(const std::string&)>& on_warning) {
  return std::make_unique<io::Fasta>(path, on_warning);
}

std::vector<std::string> fetch_regions(Genome& genome, std::span<const GenomeRegion> regions) {
  const std::vector<std::int64_t> contigs = tasks::contigs_of_regions(genome, regions);
  std::vector<std::string> sequences(regions.size());
  for (std::size_t i = 0; i < regions.size(); ++i) {
    genome.fetch(contigs[i], regions[i].begin, regions[i].end, sequences[i]);
    if (regions[i].minus_strand) sequences[i] = genome::reverse_complement(sequences[i]);
  }
  return sequences;
}

namespace tasks {

std::vector<std::int64_t> contigs_of_regions(const Genome& genome,
                                             std::span<const GenomeRegion> regions) {
  const std::vector<GenomeContig>& contigs = genome.contigs();
  std::unordered_map<std::string_view, std::size_t> numbers;
  for (std::size_t i = 0; i < contigs.size(); ++i) numbers.emplace(contigs[i].name, i);
  std::vector<std::int64_t> found;
  found.reserve(regions.size());
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const GenomeRegion& region = regions[i];
    const auto at = numbers.find(region.contig);
    if (at == numbers.end()) {
      const std::string first = contigs.empty() ? "" : ", whose first is " + contigs[0].name;
      throw InvalidArgument(fmt::format("region {}: contig {} is not in {}{}", i + 1, region.contig,
                                        genome.name(), first));
    }
    const std::int64_t length = contigs[at->second].length;
    if (region.begin < 0 || region.end < region.begin || region.end > length) {
      throw InvalidArgument(fmt::format("region {}: {}:{}-{} does not lie on {} of {} bases", i + 1,
                                        region.contig, region.begin + 1, region.end, region.contig,
                                        length));
    }
    found.push_back(static_cast<std::int64_t>(at->second));
  }
  return found;
}

}  // namespace tasks
}  // namespace ssmgen
