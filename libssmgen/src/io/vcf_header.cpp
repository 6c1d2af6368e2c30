#include "io/vcf_header.hpp"

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>

namespace ssmgen::io {

VcfHeaderText split_header(std::string_view text) {
  VcfHeaderText header;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("##")) {
      header.lines.emplace_back(line);
    } else if (line.starts_with("#")) {
      header.column_line = line;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return header;
}

std::vector<std::string> sample_names(std::string_view column_line) {
  std::vector<std::string> names;
  constexpr int first_sample = kFixedColumnCount + 1;
  int column = 0;
  std::size_t begin = 0;
  while (begin <= column_line.size()) {
    const std::size_t end = std::min(column_line.find('\t', begin), column_line.size());
    if (column++ >= first_sample) names.emplace_back(column_line.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

int count_columns(std::string_view line) {
  return 1 + static_cast<int>(std::count(line.begin(), line.end(), '\t'));
}

HeaderPtr parse_header(const VcfHeaderText& text) {
  HeaderPtr header(bcf_hdr_init("r"));
  if (header == nullptr) return nullptr;
  std::string all;
  for (const std::string& line : text.lines) all += line + '\n';
  all += text.column_line + '\n';
  if (bcf_hdr_parse(header.get(), all.data()) != 0) return nullptr;
  return header;
}

std::vector<genome::Contig> declared_contigs(const bcf_hdr_t* header) {
  std::vector<genome::Contig> contigs;
  for (int i = 0; i < header->n[BCF_DT_CTG]; ++i) {
    const bcf_idpair_t& pair = header->id[BCF_DT_CTG][i];
    // IDX fields may leave holes.
    if (pair.key == nullptr || pair.val == nullptr) continue;
    const auto length = static_cast<std::int64_t>(pair.val->info[0]);
    contigs.push_back({pair.key, length > 0 ? length : -1});
  }
  return contigs;
}

std::unordered_set<std::string> declared_info(const bcf_hdr_t* header) {
  std::unordered_set<std::string> ids;
  for (int i = 0; i < header->n[BCF_DT_ID]; ++i) {
    const bcf_idpair_t& pair = header->id[BCF_DT_ID][i];
    if (pair.key != nullptr && bcf_hdr_idinfo_exists(header, BCF_HL_INFO, i)) ids.insert(pair.key);
  }
  return ids;
}

std::string_view line_id(std::string_view line, std::string_view key) {
  if (!line.starts_with("##") || !line.substr(2).starts_with(key)) return {};
  line.remove_prefix(2 + key.size());
  if (!line.starts_with("=<")) return {};
  line.remove_prefix(2);
  // ID comes first in practice; where it does not, it follows a comma.
  std::size_t at = line.starts_with("ID=") ? 0 : line.find(",ID=");
  if (at == std::string_view::npos) return {};
  at += at == 0 ? 3 : 4;
  return line.substr(at, line.find_first_of(",>", at) - at);
}

VcfHeaderText make_output_header(const VcfHeaderText& input,
                                 const std::vector<genome::Contig>& contigs,
                                 const std::vector<std::string>& added) {
  std::unordered_set<std::string_view> replaced;
  for (const std::string& line : added) {
    const std::string_view id = line_id(line, "INFO");
    if (!id.empty()) replaced.insert(id);
  }
  VcfHeaderText out;
  out.column_line = input.column_line;
  if (count_columns(out.column_line) == kFixedColumnCount - 1) out.column_line += "\tINFO";
  if (input.lines.empty() || !input.lines.front().starts_with("##fileformat=")) {
    out.lines.emplace_back("##fileformat=VCFv4.2");
  }
  std::unordered_set<std::string_view> known_contigs;
  for (const std::string& line : input.lines) {
    const std::string_view id = line_id(line, "INFO");
    if (!id.empty() && replaced.contains(id)) continue;
    const std::string_view contig = line_id(line, "contig");
    if (!contig.empty()) known_contigs.insert(contig);
    out.lines.push_back(line);
  }
  for (const genome::Contig& contig : contigs) {
    if (known_contigs.contains(contig.name)) continue;
    out.lines.push_back(
        contig.length < 0 ? fmt::format("##contig=<ID={}>", contig.name)
                          : fmt::format("##contig=<ID={},length={}>", contig.name, contig.length));
  }
  out.lines.insert(out.lines.end(), added.begin(), added.end());
  return out;
}

}  // namespace ssmgen::io
