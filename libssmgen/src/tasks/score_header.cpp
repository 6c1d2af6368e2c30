#include "tasks/score_header.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ssmgen/version.hpp>
#include <string_view>

namespace ssmgen::tasks {
namespace {

std::string_view mode_description(ScoreMode mode) {
  switch (mode) {
    case ScoreMode::masked:
      return "log p(ALT) - log p(REF) with REF masked, natural log over A,C,G,T";
    case ScoreMode::unmasked:
      return "log p(ALT) - log p(REF) with REF in place, natural log over A,C,G,T";
    case ScoreMode::causal:
      return "log-likelihood of the window with ALT minus with REF, each base given those before "
             "it";
  }
  return "";
}

// A value of a structured header line: quoted, with quotes and backslashes escaped.
std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter == '\n' || letter == '\t' ? ' ' : letter;
  }
  return result + "\"";
}

}  // namespace

std::vector<MatchedContig> matched_contigs(const io::VcfReader& reader, const io::Fasta& fasta,
                                           genome::ContigNames& names,
                                           const std::string& first_contig) {
  std::vector<std::string> candidates;
  if (const auto index = reader.index_summary(); index && !index->contigs.empty()) {
    candidates = index->contigs;
  } else {
    for (const genome::Contig& contig : reader.declared_contigs())
      candidates.push_back(contig.name);
  }
  if (candidates.empty()) {
    const bool other_form =
        !first_contig.empty() && fasta.find(first_contig) < 0 && names.find(first_contig) >= 0;
    for (const genome::Contig& contig : fasta.contigs()) {
      const std::vector<std::string> forms = genome::alternative_contig_names(contig.name);
      candidates.push_back(other_form && !forms.empty() ? forms.front() : contig.name);
    }
  }
  std::vector<MatchedContig> matched;
  for (const std::string& name : candidates) {
    const std::int64_t found = names.find(name);
    if (found >= 0) matched.push_back({name, found});
  }
  return matched;
}

std::vector<std::string> score_header_lines(const Model& model, const ScoreSettings& settings,
                                            const ScoreOptions& options, io::Fasta& fasta,
                                            const std::vector<MatchedContig>& contigs) {
  std::vector<std::string> lines;
  std::vector<std::string_view> mode_names;
  for (const ScoreMode mode : settings.modes) {
    mode_names.push_back(score_mode_name(mode));
    lines.push_back(fmt::format("##INFO=<ID={},Number=A,Type=Float,Description=\"{}\">",
                                settings.tag(mode), mode_description(mode)));
  }
  lines.push_back(
      fmt::format("##INFO=<ID={},Number=A,Type=String,Description=\"Why the ALT has no score\">",
                  settings.reason_tag()));
  if (options.write_version) {
    lines.push_back(fmt::format("##ssmgen_version={}", version()));
    if (!options.command_line.empty()) {
      lines.push_back(fmt::format("##ssmgen_command={}", options.command_line));
    }
  }
  lines.push_back(fmt::format("##ssmgen_model=<ID={},Type={},SHA256={}>", quote(model.info().name),
                              model.info().model_type, model.weights_sha256()));
  lines.push_back(
      fmt::format("##ssmgen_scores=<ID={},Modes={},Window={},Edge={},Strand={},Dtype={},Device={}>",
                  settings.tag_prefix, quote(fmt::format("{}", fmt::join(mode_names, ","))),
                  settings.window_bases, settings.edge == genome::Edge::shift ? "shift" : "pad",
                  settings.strand_name, dtype_name(model.options().dtype),
                  device_name(model.options().device)));
  const std::string file = std::filesystem::path(fasta.path()).filename().string();
  lines.push_back(fmt::format("##ssmgen_reference=<ID={}>", quote(file)));
  for (const MatchedContig& contig : contigs) {
    lines.push_back(
        fmt::format("##ssmgen_contig=<ID={},Length={},M5={}>", contig.name,
                    fasta.contigs()[static_cast<std::size_t>(contig.fasta_index)].length,
                    fasta.md5(contig.fasta_index)));
  }
  return lines;
}

}  // namespace ssmgen::tasks
