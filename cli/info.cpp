#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ssmgen/describe.hpp>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"

namespace ssmgen::cli {

const char* const info_summary = "describe a model, a FASTA, a VCF or this machine";

namespace {

using nlohmann::ordered_json;

const CommandHelp help{
    "ssmgen info - describe a model, a FASTA, a VCF or this machine",
    "ssmgen info [OPTIONS] [MODEL_DIR|FASTA|VCF]...",
    "A model: sizes, parameters, context, tied, missing and unused tensors. A FASTA or VCF:\n"
    "contigs; given both, how their contigs match. Without a path: this machine.\n",
    "  ssmgen info\n"
    "  ssmgen info models/ecoli-caduceus-ps\n"
    "  ssmgen info genome.fa variants.vcf.gz\n"};

constexpr std::size_t listed = 25;

template <class Items, class Line>
void print_list(const char* title, const Items& items, bool all, Line&& line) {
  if (items.empty()) return;
  std::cout << fmt::format("  {}: {}\n", title, items.size());
  const std::size_t count = all ? items.size() : std::min(items.size(), listed);
  for (std::size_t i = 0; i < count; ++i) std::cout << "    " << line(items[i]) << "\n";
  if (count < items.size()) {
    std::cout << fmt::format("    ... and {} more (--all)\n", items.size() - count);
  }
}

void field(const char* name, const std::string& value) {
  std::cout << fmt::format("  {:<22}{}\n", name, value);
}

std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

void print(const ModelInfo& model, bool all) {
  std::cout << "model " << model.directory << "\n";
  field("type", model.model_type);
  field("layers", std::to_string(model.n_layer));
  field("d_model", std::to_string(model.d_model));
  field("d_inner", std::to_string(model.d_inner));
  field("d_state", std::to_string(model.d_state));
  if (model.d_conv > 0) field("d_conv", std::to_string(model.d_conv));
  if (model.dt_rank > 0) field("dt_rank", std::to_string(model.dt_rank));
  field("vocabulary", fmt::format("{} tokens; {}", model.vocabulary, model.vocabulary_note));
  field("parameters", with_commas(model.parameters));
  std::string types;
  for (const auto& [type, count] : model.stored_dtypes) {
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", with_commas(count), type);
  }
  field("stored as", fmt::format("{} ({})", types, readable_bytes(model.weights_bytes)));
  field("context", model.max_length > 0 ? with_commas(model.max_length) + " bases"
                                        : "not stated: any length runs");
  field("bidirectional", yes_no(model.is_bidirectional));
  field("reverse complement", model.is_reverse_complement_equivariant
                                  ? "equivariant: both strands give the same scores"
                                  : "not equivariant");
  field("scores", !model.is_dna          ? "none: no DNA tokens"
                  : model.is_causal      ? "causal"
                  : model.has_mask_token ? "masked, unmasked"
                                         : "unmasked");
  print_list("tied tensors", model.tied, all,
             [](const auto& tied) { return tied.first + " = " + tied.second; });
  print_list("missing tensors", model.missing, all, [](const auto& name) { return name; });
  print_list("unused tensors", model.unused, all, [](const auto& name) { return name; });
  print_list("warnings", model.warnings, all, [](const auto& text) { return text; });
}

std::string contig_line(const ContigInfo& contig, bool matched) {
  std::string line = fmt::format("{:<24}{:>16}", contig.name,
                                 contig.length < 0 ? "?" : with_commas(contig.length));
  if (contig.record_count >= 0)
    line += fmt::format("  {} records", with_commas(contig.record_count));
  if (!matched) return line;
  if (contig.fasta_name.empty()) return line + "  not in the FASTA";
  line += contig.fasta_name == contig.name ? "  in the FASTA" : "  is " + contig.fasta_name;
  if (contig.length >= 0 && contig.length != contig.fasta_length) {
    line += fmt::format(" (length {} there)", with_commas(contig.fasta_length));
  }
  return line;
}

void print(const FastaInfo& fasta, bool all) {
  std::cout << "FASTA " << fasta.path << "\n";
  field("bases", with_commas(fasta.total_bases));
  print_list("contigs", fasta.contigs, all,
             [](const ContigInfo& contig) { return contig_line(contig, false); });
}

void print(const VcfInfo& vcf, bool all, bool matched) {
  std::cout << (vcf.is_bcf ? "BCF " : "VCF ") << vcf.path << "\n";
  field("samples", with_commas(static_cast<std::int64_t>(vcf.samples.size())));
  field("index", yes_no(vcf.is_indexed));
  if (matched) {
    field("contigs matched", fmt::format("{} of {}", vcf.matched_contigs, vcf.contigs.size()));
  }
  print_list("contigs", vcf.contigs, all,
             [&](const ContigInfo& contig) { return contig_line(contig, matched); });
  print_list("notes", vcf.notes, all, [](const auto& text) { return text; });
}

void print_machine(const MachineInfo& machine) {
  std::cout << "ssmgen " << machine.version << "\n";
  field("processor", machine.processor);
  field("cores", std::to_string(machine.cores));
  field("bf16 products", machine.bf16_products ? "native" : "formed in f32");
  field("memory", fmt::format("{}, {} available", readable_bytes(machine.memory_bytes),
                              readable_bytes(machine.available_memory_bytes)));
  for (const std::string& device : machine.devices) field("device", device);
}

ordered_json to_json(const ModelInfo& model) {
  ordered_json json{{"kind", "model"},
                    {"directory", model.directory},
                    {"model_type", model.model_type},
                    {"n_layer", model.n_layer},
                    {"d_model", model.d_model},
                    {"d_inner", model.d_inner},
                    {"d_state", model.d_state},
                    {"d_conv", model.d_conv},
                    {"dt_rank", model.dt_rank},
                    {"vocabulary", model.vocabulary},
                    {"vocabulary_note", model.vocabulary_note},
                    {"parameters", model.parameters},
                    {"stored_dtypes", model.stored_dtypes},
                    {"weights_bytes", model.weights_bytes},
                    {"max_length", model.max_length},
                    {"bidirectional", model.is_bidirectional},
                    {"causal", model.is_causal},
                    {"reverse_complement_equivariant", model.is_reverse_complement_equivariant},
                    {"dna", model.is_dna},
                    {"missing", model.missing},
                    {"unused", model.unused},
                    {"warnings", model.warnings}};
  json["tied"] = ordered_json::object();
  for (const auto& [name, used] : model.tied) json["tied"][name] = used;
  return json;
}

ordered_json to_json(const std::vector<ContigInfo>& contigs) {
  ordered_json json = ordered_json::array();
  for (const ContigInfo& contig : contigs) {
    ordered_json entry{{"name", contig.name}};
    if (contig.length >= 0) entry["length"] = contig.length;
    if (contig.record_count >= 0) entry["records"] = contig.record_count;
    if (!contig.fasta_name.empty()) {
      entry["fasta_name"] = contig.fasta_name;
      entry["fasta_length"] = contig.fasta_length;
    }
    json.push_back(std::move(entry));
  }
  return json;
}

ordered_json to_json(const FastaInfo& fasta) {
  return {{"kind", "fasta"},
          {"path", fasta.path},
          {"bases", fasta.total_bases},
          {"contigs", to_json(fasta.contigs)}};
}

ordered_json to_json(const VcfInfo& vcf) {
  return {{"kind", vcf.is_bcf ? "bcf" : "vcf"},
          {"path", vcf.path},
          {"samples", vcf.samples},
          {"indexed", vcf.is_indexed},
          {"contigs", to_json(vcf.contigs)},
          {"notes", vcf.notes}};
}

ordered_json to_json(const MachineInfo& machine) {
  return {{"kind", "machine"},
          {"version", machine.version},
          {"processor", machine.processor},
          {"cores", machine.cores},
          {"bf16_products", machine.bf16_products},
          {"memory_bytes", machine.memory_bytes},
          {"available_memory_bytes", machine.available_memory_bytes},
          {"devices", machine.devices}};
}

}  // namespace

int run_info(const std::vector<std::string>& arguments) {
  po::options_description options("Options");
  options.add_options()                                           //
      ("all", po::bool_switch(), "list every contig and tensor")  //
      ("json", po::bool_switch(), "print JSON, an array of what was asked for");
  const ParsedCommand parsed = parse_command(arguments, help, options, "path");
  if (parsed.wants_help) return exit_ok;
  std::vector<std::string> paths;
  if (parsed.values.count("path") > 0) {
    paths = parsed.values["path"].as<std::vector<std::string>>();
  }
  std::vector<PathKind> kinds;
  std::string fasta;
  for (const std::string& path : paths) {
    kinds.push_back(identify_path(path));
    if (kinds.back() != PathKind::fasta) continue;
    if (!fasta.empty()) throw InvalidArgument("contigs are matched with one FASTA at a time");
    fasta = path;
  }
  const bool all = parsed.values["all"].as<bool>();
  const bool as_json = parsed.values["json"].as<bool>();
  ordered_json json = ordered_json::array();
  const auto show = [&](const auto& what, auto... settings) {
    if (as_json) {
      json.push_back(to_json(what));
    } else {
      print(what, settings...);
    }
  };
  bool complete = true;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    switch (kinds[i]) {
      case PathKind::model: {
        const ModelInfo model = describe_model(paths[i]);
        complete = complete && model.missing.empty();
        show(model, all);
        break;
      }
      case PathKind::fasta:
        show(describe_fasta(paths[i]), all);
        break;
      case PathKind::vcf:
        show(describe_vcf(paths[i], fasta), all, !fasta.empty());
        break;
    }
  }
  if (paths.empty()) {
    const MachineInfo machine = describe_machine();
    if (as_json) {
      json.push_back(to_json(machine));
    } else {
      print_machine(machine);
    }
  }
  if (as_json) std::cout << json.dump(2) << "\n";
  return complete ? exit_ok : exit_failure;
}

}  // namespace ssmgen::cli
