#pragma once
// Where the numbers of an output come from, as JSON beside it. No time and no place of a machine
// is in it: the same run writes the same bytes.

#include <nlohmann/json.hpp>
#include <ssmgen/model.hpp>
#include <string>
#include <vector>

#include "io/fasta.hpp"
#include "tasks/embed_settings.hpp"

namespace ssmgen::tasks {

/// "ssmgen" (version and command, unless left out), "model", "compute".
nlohmann::ordered_json provenance_of_model(const Model& model, bool write_version,
                                           const std::string& command_line);

/// How the rows were made.
nlohmann::ordered_json provenance_of_settings(const ResolvedEmbed& settings);

/// Name, length and MD5 (M5 of SAM) of contigs of a genome.
nlohmann::ordered_json provenance_of_contigs(io::Fasta& fasta,
                                             const std::vector<std::int64_t>& contigs);

/// The last part of a path.
std::string file_name(const std::string& path);

}  // namespace ssmgen::tasks
