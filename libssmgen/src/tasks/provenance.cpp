#include "tasks/provenance.hpp"

#include <filesystem>
#include <ssmgen/version.hpp>

namespace ssmgen::tasks {

using Json = nlohmann::ordered_json;

std::string file_name(const std::string& path) {
  return path == "-" ? "standard input" : std::filesystem::path(path).filename().string();
}

Json provenance_of_model(const Model& model, bool write_version, const std::string& command_line) {
  Json json;
  if (write_version) {
    json["ssmgen"]["version"] = version();
    if (!command_line.empty()) json["ssmgen"]["command"] = command_line;
  }
  json["model"] = {{"name", model.info().name},
                   {"type", model.info().model_type},
                   {"sha256", model.weights_sha256()}};
  json["compute"] = {{"device", device_name(model.options().device)},
                     {"dtype", dtype_name(model.options().dtype)}};
  return json;
}

Json provenance_of_settings(const ResolvedEmbed& settings) {
  Json json;
  json["layers"] = settings.layers;
  json["pool"] = embed_pooling_name(settings.pooling);
  json["strand"] = embed_strand_name(settings.strand);
  if (settings.window_bases == 0) {
    json["whole"] = true;
  } else {
    json["window"] = settings.window_bases;
    json["stride"] = settings.stride_bases;
  }
  json["per_window"] = settings.per_window;
  json["skip_n"] = settings.skip_n;
  return json;
}

Json provenance_of_contigs(io::Fasta& fasta, const std::vector<std::int64_t>& contigs) {
  Json json = Json::array();
  for (const std::int64_t number : contigs) {
    const genome::Contig& contig = fasta.contigs()[static_cast<std::size_t>(number)];
    json.push_back({{"name", contig.name}, {"length", contig.length}, {"md5", fasta.md5(number)}});
  }
  return json;
}

}  // namespace ssmgen::tasks
