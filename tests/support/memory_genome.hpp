#pragma once
// A genome that a test makes up, or reads from a FASTA at once.

#include <memory>
#include <ssmgen/genome.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ssmgen::test {

class MemoryGenome : public Genome {
 public:
  explicit MemoryGenome(std::vector<std::pair<std::string, std::string>> sequences)
      : sequences_(std::move(sequences)) {
    for (const auto& [name, letters] : sequences_) {
      contigs_.push_back({name, static_cast<std::int64_t>(letters.size())});
    }
  }

  static MemoryGenome of_fasta(const std::string& path) {
    const std::unique_ptr<Genome> fasta = open_fasta(path);
    std::vector<std::pair<std::string, std::string>> sequences;
    for (const GenomeContig& contig : fasta->contigs()) {
      std::string letters;
      fasta->fetch(static_cast<std::int64_t>(sequences.size()), 0, contig.length, letters);
      sequences.emplace_back(contig.name, std::move(letters));
    }
    return MemoryGenome(std::move(sequences));
  }

  const std::string& name() const override { return name_; }
  const std::vector<GenomeContig>& contigs() const override { return contigs_; }
  void fetch(std::int64_t contig, std::int64_t begin, std::int64_t end,
             std::string& letters) override {
    letters =
        sequences_.at(static_cast<std::size_t>(contig))
            .second.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  }

 private:
  std::string name_ = "the sequences";
  std::vector<std::pair<std::string, std::string>> sequences_;
  std::vector<GenomeContig> contigs_;
};

}  // namespace ssmgen::test
