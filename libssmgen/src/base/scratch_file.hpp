#pragma once
// A file without a name: the system frees its blocks when the process ends, however it ends.

#include <cstdint>
#include <string>

namespace ssmgen::base {

class ScratchFile {
 public:
  /// @param folder where its blocks lie; empty for the system's temporary folder
  /// @throws DeviceError when no file can be made there
  explicit ScratchFile(std::string folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// All bytes, at any offset; may be called from several threads for bytes that do not overlap.
  /// @throws DeviceError when the disk is full or fails, or what is read was never written
  void write(std::int64_t offset, const void* bytes, std::int64_t count);
  void read(std::int64_t offset, void* bytes, std::int64_t count) const;

 private:
  std::string folder_;
  int descriptor_ = -1;
};

/// Bytes that a file may still take in that folder (empty: the system's temporary one).
/// @throws DeviceError when the system will not say.
std::int64_t free_disk_bytes(const std::string& folder);

}  // namespace ssmgen::base
