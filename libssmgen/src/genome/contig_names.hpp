#pragma once
// Contigs of a VCF file matched with those of a FASTA file.

#include <cstdint>
#include <span>
#include <ssmgen/genome.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ssmgen::genome {

using Contig = GenomeContig;

/// Which contig of the FASTA a VCF's contig name means.
///
/// Names match exactly, or else by these pairs: `chr1` and `1` (any name with and without `chr`),
/// `chrM` (or `chrMT`) and `MT` or `M`. A pair is taken only when it is unambiguous: the FASTA has
/// exactly one of the name's other forms, and no other contig of the VCF means the same FASTA
/// contig, be it exactly or by reconciliation. Where both files state a length and they differ, the
/// pair is refused too: chrM of hg19 (16,571) is not MT of GRCh37 (16,569).
class ContigNames {
 public:
  /// @param fasta the FASTA's contigs, names unique
  /// @param vcf the contigs the VCF declares or has records of; a repeated name counts once
  ContigNames(std::span<const Contig> fasta, std::span<const Contig> vcf);

  /// Index in the FASTA of the contig a VCF name means, -1 when there is none. A name that was not
  /// among the VCF's at construction (undeclared in the header) is reconciled by the same rules on
  /// first sight, in O(1), and remembered.
  std::int64_t find(std::string_view vcf_name);

  /// VCF name and FASTA name of each pair that is not equal, in order of appearance: what has to be
  /// said once.
  const std::vector<std::pair<std::string, std::string>>& reconciled() const { return reconciled_; }

  /// How many of the VCF's names found a contig, and how many names there are.
  std::int64_t matched_count() const { return matched_count_; }
  std::int64_t vcf_count() const { return static_cast<std::int64_t>(found_.size()); }

 private:
  struct TransparentHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using NameMap = std::unordered_map<std::string, std::int64_t, TransparentHash, std::equal_to<>>;

  std::int64_t reconcile(const Contig& vcf) const;
  void remember(const std::string& vcf_name, std::int64_t fasta_index);

  std::vector<Contig> fasta_;
  NameMap fasta_index_;
  NameMap found_;
  std::vector<std::int64_t> used_by_;  // how many VCF names mean each FASTA contig
  std::vector<std::pair<std::string, std::string>> reconciled_;
  std::int64_t matched_count_ = 0;
};

/// The other forms under which a contig's name is known: `1` for `chr1` and back; `MT`, `M` and
/// `chrMT` for `chrM`, and so on between these four.
std::vector<std::string> alternative_contig_names(std::string_view name);

}  // namespace ssmgen::genome
