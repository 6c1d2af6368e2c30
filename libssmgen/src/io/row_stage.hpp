#pragma once
// Rows of f32 kept for a while: in memory, or in a file without a name where they are many.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/scratch_file.hpp"

namespace ssmgen::io {

class RowStage {
 public:
  /// @param folder for the file; empty for the system's temporary folder
  /// @param memory_bytes more than this goes into a file
  RowStage(std::string folder, std::int64_t memory_bytes);

  /// Makes room for so many values and forgets those of before.
  /// @throws DeviceError when no file can be made
  void resize(std::int64_t values);

  /// @throws DeviceError when the disk is full or fails
  void write(std::int64_t first, const float* values, std::int64_t count);
  void read(std::int64_t first, float* values, std::int64_t count) const;

  bool is_on_disk() const noexcept { return file_.has_value(); }

 private:
  std::string folder_;
  std::int64_t memory_bytes_;
  std::vector<float> memory_;
  std::optional<base::ScratchFile> file_;
};

}  // namespace ssmgen::io
