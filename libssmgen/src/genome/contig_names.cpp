#include "genome/contig_names.hpp"

#include <cstddef>

namespace ssmgen::genome {

std::vector<std::string> alternative_contig_names(std::string_view name) {
  if (name == "chrM" || name == "chrMT") return {"MT", "M", name == "chrM" ? "chrMT" : "chrM"};
  if (name == "MT" || name == "M") return {"chrM", "chrMT", name == "MT" ? "M" : "MT"};
  constexpr std::string_view prefix = "chr";
  if (name.starts_with(prefix)) {
    if (name.size() == prefix.size()) return {};
    return {std::string(name.substr(prefix.size()))};
  }
  if (name.empty()) return {};
  return {std::string(prefix) + std::string(name)};
}

ContigNames::ContigNames(std::span<const Contig> fasta, std::span<const Contig> vcf)
    : fasta_(fasta.begin(), fasta.end()), used_by_(fasta.size(), 0) {
  for (std::size_t i = 0; i < fasta_.size(); ++i) {
    fasta_index_.emplace(fasta_[i].name, static_cast<std::int64_t>(i));
  }
  // Exact names first: a contig that is named exactly is not there for anybody else.
  for (const Contig& contig : vcf) {
    const auto exact = fasta_index_.find(contig.name);
    if (exact != fasta_index_.end() && !found_.contains(contig.name)) {
      remember(contig.name, exact->second);
    }
  }
  // Then candidates for the rest. Two names that mean the same contig are both refused, so every
  // candidate is counted before any is taken.
  std::vector<std::pair<const Contig*, std::int64_t>> candidates;
  std::unordered_map<std::string_view, bool> seen;
  std::vector<std::int64_t> wanted_by(fasta_.size(), 0);
  for (const Contig& contig : vcf) {
    if (found_.contains(contig.name) || !seen.emplace(contig.name, true).second) continue;
    const std::int64_t index = reconcile(contig);
    candidates.emplace_back(&contig, index);
    if (index >= 0) ++wanted_by[static_cast<std::size_t>(index)];
  }
  for (const auto& [contig, index] : candidates) {
    const bool alone = index >= 0 && wanted_by[static_cast<std::size_t>(index)] == 1;
    remember(contig->name, alone ? index : -1);
  }
}

std::int64_t ContigNames::find(std::string_view vcf_name) {
  const auto known = found_.find(vcf_name);
  if (known != found_.end()) return known->second;
  const std::string name(vcf_name);
  const auto exact = fasta_index_.find(vcf_name);
  remember(name, exact != fasta_index_.end() ? exact->second : reconcile({name, -1}));
  return found_.find(vcf_name)->second;
}

// The one other form of the name that the FASTA has and that nobody uses; -1 when there is none,
// or more than one.
std::int64_t ContigNames::reconcile(const Contig& vcf) const {
  std::int64_t index = -1;
  for (const std::string& name : alternative_contig_names(vcf.name)) {
    const auto other = fasta_index_.find(name);
    if (other == fasta_index_.end()) continue;
    if (index >= 0) return -1;
    index = other->second;
  }
  if (index < 0) return -1;
  const auto at = static_cast<std::size_t>(index);
  const bool lengths_differ =
      vcf.length >= 0 && fasta_[at].length >= 0 && vcf.length != fasta_[at].length;
  return used_by_[at] > 0 || lengths_differ ? -1 : index;
}

void ContigNames::remember(const std::string& vcf_name, std::int64_t fasta_index) {
  found_.emplace(vcf_name, fasta_index);
  if (fasta_index < 0) return;
  const auto at = static_cast<std::size_t>(fasta_index);
  ++used_by_[at];
  ++matched_count_;
  if (fasta_[at].name != vcf_name) reconciled_.emplace_back(vcf_name, fasta_[at].name);
}

}  // namespace ssmgen::genome
