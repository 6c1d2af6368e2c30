#include <ssmgen/genome.hpp>

#include "genome/bases.hpp"
#include "io/fasta.hpp"

namespace ssmgen {

std::unique_ptr<Genome> open_fasta(const std::string& path,
                                   const std::function<void(const std::string&)>& on_warning) {
  return std::make_unique<io::Fasta>(path, on_warning);
}

std::string reverse_complement(std::string_view bases) {
  return genome::reverse_complement(bases);
}

}  // namespace ssmgen
