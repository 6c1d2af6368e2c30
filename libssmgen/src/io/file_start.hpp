#pragma once

#include <string>

namespace ssmgen::io {

/// The first `bytes` bytes of a file's content, decompressed when it is gzip or bgzip; fewer when
/// it is shorter. @throws FormatError when it cannot be read.
std::string uncompressed_start(const std::string& path, int bytes);

}  // namespace ssmgen::io
