#include "base/scratch_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <ssmgen/errors.hpp>
#include <unistd.h>

namespace ssmgen::base {
namespace {

std::string resolved(std::string folder) {
  if (folder.empty()) folder = std::filesystem::temp_directory_path().string();
  return folder;
}

// Where the file system cannot make a file without a name, the name is taken away at once.
int open_nameless(const std::string& folder) {
  int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string path = folder + "/ssmgen-rows-XXXXXX";
  descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) {
    throw DeviceError(
        fmt::format("{}: no scratch file can be made there: {}; give another folder by --scratch",
                    folder, std::strerror(errno)));
  }
  unlink(path.c_str());
  return descriptor;
}

}  // namespace

ScratchFile::ScratchFile(std::string folder)
    : folder_(resolved(std::move(folder))), descriptor_(open_nameless(folder_)) {}

ScratchFile::~ScratchFile() {
  close(descriptor_);
}

void ScratchFile::write(std::int64_t offset, const void* bytes, std::int64_t count) {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = pwrite(descriptor_, from, static_cast<std::size_t>(count), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw DeviceError(
          fmt::format("{}: the scratch file cannot be written: {}; make room there or give another "
                      "folder by --scratch",
                      folder_, std::strerror(errno)));
    }
    from += written;
    offset += written;
    count -= written;
  }
}

void ScratchFile::read(std::int64_t offset, void* bytes, std::int64_t count) const {
  auto* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = pread(descriptor_, to, static_cast<std::size_t>(count), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw DeviceError(fmt::format("{}: the scratch file cannot be read: {}", folder_,
                                    got == 0 ? "it ends early" : std::strerror(errno)));
    }
    to += got;
    offset += got;
    count -= got;
  }
}

std::int64_t free_disk_bytes(const std::string& folder) {
  std::error_code error;
  const auto space = std::filesystem::space(resolved(folder), error);
  if (error) {
    throw DeviceError(
        fmt::format("{}: its free space cannot be told: {}", resolved(folder), error.message()));
  }
  constexpr auto most = static_cast<std::uintmax_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(space.available, most));
}

}  // namespace ssmgen::base
