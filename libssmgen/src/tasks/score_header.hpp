#pragma once

#include <string>
#include <vector>

#include "genome/contig_names.hpp"
#include "io/fasta.hpp"
#include "io/vcf_reader.hpp"
#include "tasks/model_impl.hpp"
#include "tasks/score_settings.hpp"

namespace ssmgen::tasks {

/// The contigs of a VCF that a FASTA has, with the FASTA's index.
struct MatchedContig {
  std::string name;  ///< as the VCF calls it
  std::int64_t fasta_index = 0;
};

/// Contigs that may have records: those of the index, else those declared, else all of the FASTA,
/// under its names or their other form, whichever `first_contig`, the first record's, is.
std::vector<MatchedContig> matched_contigs(const io::VcfReader& reader, const io::Fasta& fasta,
                                           genome::ContigNames& names,
                                           const std::string& first_contig);

/// What a scored file's header says of where its scores come from: INFO definitions, version and
/// command line, model and its hash, FASTA and the MD5 of each contig, mode and window.
std::vector<std::string> score_header_lines(const Model& model, const ScoreSettings& settings,
                                            const ScoreOptions& options, io::Fasta& fasta,
                                            const std::vector<MatchedContig>& contigs);

}  // namespace ssmgen::tasks
