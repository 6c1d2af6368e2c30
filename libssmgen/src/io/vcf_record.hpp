#pragma once
// One record between VcfReader and VcfWriter.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ssmgen::io {

/// A record: what scoring needs in the open, everything else sealed for the writer.
///
/// Move-only. Hand the same object to VcfReader::read again and its storage is reused.
class VcfRecord {
 public:
  VcfRecord();
  ~VcfRecord();
  VcfRecord(VcfRecord&&) noexcept;
  VcfRecord& operator=(VcfRecord&&) noexcept;

  /// CHROM as the file has it.
  std::string contig;
  /// POS - 1; -1 for POS 0, which the standard allows for a telomere.
  std::int64_t position = 0;
  /// REF and ALT as the file has them, letters in their case; no ALT for ".".
  std::string ref;
  std::vector<std::string> alts;
  /// 1 for the first record that was read, records outside the targets counted too.
  std::int64_t record_number = 0;

  /// For the files of this folder: the original line or the BCF record.
  struct Payload;
  /// A record that was moved from gets a new one.
  Payload& payload();

 private:
  std::unique_ptr<Payload> payload_;
};

}  // namespace ssmgen::io
