#pragma once
// The .fai and .gzi beside a FASTA file: found, checked, built. Internal to this folder.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "genome/contig_names.hpp"

namespace ssmgen::io {

/// How a FASTA file is stored.
struct FastaFile {
  std::string path;
  bool is_bgzip = false;
  std::int64_t size_bytes = 0;
};

/// Looks at a file's first bytes.
/// @throws FormatError unless it is a FASTA file, plain or bgzip, that can be read
FastaFile inspect_fasta(const std::string& path);

/// One line of a .fai.
struct FastaIndexEntry {
  std::string name;
  std::int64_t length = 0;
  std::int64_t offset = 0;      ///< of the first base, in decompressed bytes
  std::int64_t line_bases = 0;  ///< bases a line
  std::int64_t line_bytes = 0;  ///< bytes a line, its end counted
};

/// Index files that fit their FASTA. Files in a folder of their own vanish with the object.
class FastaIndexFiles {
 public:
  /// Takes the index beside the file, or builds one there, or in a temporary folder.
  /// @throws FormatError when the index that is there does not fit, or none can be built
  FastaIndexFiles(const FastaFile& fasta,
                  const std::function<void(const std::string&)>& on_warning);
  ~FastaIndexFiles();
  FastaIndexFiles(const FastaIndexFiles&) = delete;
  FastaIndexFiles& operator=(const FastaIndexFiles&) = delete;

  const std::string& fai_path() const { return fai_path_; }
  const std::string& gzi_path() const { return gzi_path_; }
  const std::vector<FastaIndexEntry>& entries() const { return entries_; }

 private:
  void build(const FastaFile& fasta, const std::function<void(const std::string&)>& on_warning);
  void build_in_temporary_folder(const FastaFile& fasta);

  std::string fai_path_;
  std::string gzi_path_;
  std::string temporary_folder_;
  std::vector<FastaIndexEntry> entries_;
};

/// Reads a .fai. @throws FormatError naming file and line
std::vector<FastaIndexEntry> read_fai(const std::string& path);

/// Checks a .gzi that htslib would believe: size, count, order, offsets that are blocks.
/// @throws FormatError naming what is wrong and how to make it again
void check_gzi(const std::string& path, const FastaFile& fasta);

}  // namespace ssmgen::io
