#include "io/file_start.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <ssmgen/errors.hpp>
#include <zlib.h>

namespace ssmgen::io {

std::string uncompressed_start(const std::string& path, int bytes) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  if (file == nullptr) {
    throw FormatError(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  }
  std::string start(static_cast<std::size_t>(bytes), '\0');
  const int count = gzread(file.get(), start.data(), static_cast<unsigned>(bytes));
  if (count < 0) {
    throw FormatError(fmt::format("{}: cannot be read: it may be truncated or no gzip file", path));
  }
  start.resize(static_cast<std::size_t>(count));
  return start;
}

}  // namespace ssmgen::io
