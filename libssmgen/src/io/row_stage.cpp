#include "io/row_stage.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <unistd.h>

namespace ssmgen::io {
namespace {

// Its name is taken away at once: the system frees the blocks when the process ends, however.
int open_nameless(const std::string& folder) {
  std::string path = folder + "/ssmgen-rows-XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) {
    throw DeviceError(
        fmt::format("{}: no scratch file can be made there: {}; give another folder by --scratch",
                    folder, std::strerror(errno)));
  }
  unlink(path.c_str());
  return descriptor;
}

}  // namespace

RowStage::RowStage(std::string folder, std::int64_t memory_bytes)
    : folder_(std::move(folder)), memory_bytes_(memory_bytes) {
  if (folder_.empty()) folder_ = std::filesystem::temp_directory_path().string();
}

RowStage::~RowStage() {
  if (descriptor_ >= 0) close(descriptor_);
}

void RowStage::resize(std::int64_t values) {
  if (values * static_cast<std::int64_t>(sizeof(float)) <= memory_bytes_) {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
    memory_.resize(std::max(memory_.size(), static_cast<std::size_t>(values)));
    return;
  }
  memory_ = {};
  if (descriptor_ < 0) descriptor_ = open_nameless(folder_);
}

void RowStage::write(std::int64_t first, const float* values, std::int64_t count) {
  if (descriptor_ < 0) {
    std::copy(values, values + count, memory_.begin() + first);
    return;
  }
  const auto* bytes = reinterpret_cast<const char*>(values);
  auto left = static_cast<std::size_t>(count) * sizeof(float);
  auto offset = static_cast<off_t>(first) * static_cast<off_t>(sizeof(float));
  while (left > 0) {
    const ssize_t written = pwrite(descriptor_, bytes, left, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw DeviceError(
          fmt::format("{}: the scratch file cannot be written: {}; make room there or give another "
                      "folder by --scratch",
                      folder_, std::strerror(errno)));
    }
    bytes += written;
    left -= static_cast<std::size_t>(written);
    offset += written;
  }
}

void RowStage::read(std::int64_t first, float* values, std::int64_t count) const {
  if (descriptor_ < 0) {
    std::copy_n(memory_.begin() + first, count, values);
    return;
  }
  auto* bytes = reinterpret_cast<char*>(values);
  auto left = static_cast<std::size_t>(count) * sizeof(float);
  auto offset = static_cast<off_t>(first) * static_cast<off_t>(sizeof(float));
  while (left > 0) {
    const ssize_t got = pread(descriptor_, bytes, left, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw DeviceError(fmt::format("{}: the scratch file cannot be read: {}", folder_,
                                    got == 0 ? "it ends early" : std::strerror(errno)));
    }
    bytes += got;
    left -= static_cast<std::size_t>(got);
    offset += got;
  }
}

}  // namespace ssmgen::io
