#pragma once
// What files and the machine are, for `ssmgen info`.

#include <cstdint>
#include <string>
#include <vector>

namespace ssmgen {

enum class PathKind : std::uint8_t { model, fasta, vcf };

/// What a path holds, told by its content: a directory is a model.
/// @throws FormatError when it is none of the three.
PathKind identify_path(const std::string& path);

struct ContigInfo {
  std::string name;
  std::int64_t length = -1;        ///< bases; -1 when not known
  std::int64_t record_count = -1;  ///< of a VCF with an index; -1 when not known
  std::string fasta_name;          ///< what a FASTA calls it; empty for none
  std::int64_t fasta_length = -1;
};

struct FastaInfo {
  std::string path;
  std::int64_t total_bases = 0;
  std::vector<ContigInfo> contigs;
};

struct VcfInfo {
  std::string path;
  bool is_bcf = false;
  bool is_indexed = false;
  std::vector<std::string> samples;
  std::vector<ContigInfo> contigs;   ///< declared in the header or the index
  std::int64_t matched_contigs = 0;  ///< with a fasta_name, when a FASTA was given
  std::vector<std::string> notes;
};

struct MachineInfo {
  std::string version;  ///< of ssmgen
  std::string processor;
  int cores = 0;               ///< this process may use
  bool bf16_products = false;  ///< the processor multiplies bf16
  std::int64_t memory_bytes = 0;
  std::int64_t available_memory_bytes = 0;
  std::vector<std::string> devices;  ///< what a model may run on, with its instruction set
};

/// @throws FormatError when the file cannot be read.
FastaInfo describe_fasta(const std::string& path);

/// `fasta` may be empty; with it the contigs are matched. @throws FormatError.
VcfInfo describe_vcf(const std::string& path, const std::string& fasta);

MachineInfo describe_machine();

}  // namespace ssmgen
