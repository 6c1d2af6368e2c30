#include <algorithm>
#include <fstream>
#include <sched.h>
#include <ssmgen/describe.hpp>
#include <ssmgen/errors.hpp>
#include <ssmgen/version.hpp>
#include <unistd.h>

#include "base/files.hpp"
#include "core/backend_loader.hpp"
#include "genome/contig_names.hpp"
#include "io/fasta.hpp"
#include "io/file_start.hpp"
#include "io/vcf_reader.hpp"

namespace ssmgen {
namespace {

// The value of the first "key : value" or "key: value" line of a file of /proc.
std::string proc_value(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::int64_t memory_bytes(const std::string& key) {
  const std::string kibibytes = proc_value("/proc/meminfo", key);
  return kibibytes.empty() ? 0 : std::stoll(kibibytes) * 1024;
}

}  // namespace

PathKind identify_path(const std::string& path) {
  if (base::path_kind(path) == base::PathKind::directory) return PathKind::model;
  const std::string start = io::uncompressed_start(path, 4);
  if (start.starts_with(">")) return PathKind::fasta;
  if (start.starts_with("#") || start.starts_with("BCF")) return PathKind::vcf;
  throw FormatError(path +
                    ": neither a model directory, nor FASTA (its text begins with '>'), nor "
                    "VCF or BCF");
}

FastaInfo describe_fasta(const std::string& path) {
  const io::Fasta fasta(path);
  FastaInfo info;
  info.path = path;
  for (const genome::Contig& contig : fasta.contigs()) {
    ContigInfo& entry = info.contigs.emplace_back();
    entry.name = contig.name;
    entry.length = contig.length;
    info.total_bases += contig.length;
  }
  return info;
}

VcfInfo describe_vcf(const std::string& path, const std::string& fasta) {
  VcfInfo info;
  io::VcfReaderOptions options;
  options.path = path;
  options.on_warning = [&info](const std::string& text) { info.notes.push_back(text); };
  const io::VcfReader reader(options);
  info.path = path;
  info.is_bcf = reader.is_bcf();
  info.samples = reader.samples();
  for (const genome::Contig& contig : reader.declared_contigs()) {
    ContigInfo& entry = info.contigs.emplace_back();
    entry.name = contig.name;
    entry.length = contig.length;
  }
  if (const auto index = reader.index_summary()) {
    info.is_indexed = true;
    for (ContigInfo& entry : info.contigs) entry.record_count = 0;
    for (std::size_t i = 0; i < index->contigs.size(); ++i) {
      const auto known =
          std::find_if(info.contigs.begin(), info.contigs.end(),
                       [&](const ContigInfo& c) { return c.name == index->contigs[i]; });
      ContigInfo& entry = known != info.contigs.end() ? *known : info.contigs.emplace_back();
      entry.name = index->contigs[i];
      entry.record_count = index->record_counts[i];
    }
  }
  if (fasta.empty()) return info;

  const io::Fasta genome(fasta);
  std::vector<genome::Contig> declared;
  for (const ContigInfo& entry : info.contigs) declared.push_back({entry.name, entry.length});
  genome::ContigNames names(genome.contigs(), declared);
  for (ContigInfo& entry : info.contigs) {
    const std::int64_t found = names.find(entry.name);
    if (found < 0) continue;
    const genome::Contig& contig = genome.contigs()[static_cast<std::size_t>(found)];
    entry.fasta_name = contig.name;
    entry.fasta_length = contig.length;
    ++info.matched_contigs;
  }
  return info;
}

MachineInfo describe_machine() {
  MachineInfo info;
  info.version = version();
  info.processor = proc_value("/proc/cpuinfo", "model name");
  const auto cpu = core::open_backend({}, 0);
  info.cores = cpu->threads();
  info.bf16_products = cpu->native_bf16_products();
  info.devices.push_back(cpu->description());
  info.memory_bytes = memory_bytes("MemTotal");
  info.available_memory_bytes = memory_bytes("MemAvailable");
  return info;
}

}  // namespace ssmgen
