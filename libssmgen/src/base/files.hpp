#pragma once
// Reading files whole or mapped. Errors name the path and what the system said.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace ssmgen::base {

enum class PathKind : std::uint8_t { missing, file, directory, other };

/// What stands at `path`, links followed. @throws FormatError when the system will not say
/// (no permission to search a folder above it, a loop of links).
PathKind path_kind(const std::filesystem::path& path);

/// True when `path` is a regular file. @throws FormatError as path_kind().
bool file_exists(const std::filesystem::path& path);

/// Size of a regular file in bytes. @throws FormatError when it is missing or not a file.
std::int64_t file_bytes(const std::filesystem::path& path);

/// The bytes of a regular file. @throws FormatError when it is missing, not a file, unreadable or
/// larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path,
                      std::int64_t max_bytes = std::int64_t{1} << 30);

/// Writes `bytes` under a temporary name beside `path` and renames it, so that no half-written file
/// ever stands under `path`. @throws DeviceError naming path and cause (disk full, no permission).
void write_file(const std::filesystem::path& path,
                std::span<const std::span<const std::byte>> parts);

/// A file mapped read-only into memory for as long as the object lives; move-only. An empty file
/// gives an empty span. The file must not shrink meanwhile: the system would raise SIGBUS.
class MappedFile {
 public:
  MappedFile() = default;
  /// @throws FormatError when `path` is missing, not a regular file or unreadable.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ssmgen::base
