#pragma once
// Bytes of an input file whatever its compression, and its lines. Internal to this folder.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/hts_internal.hpp"

namespace ssmgen::io {

/// Thrown where bytes are missing or broken; whoever reads records adds path and counts.
struct InputDamage {
  std::string what;
};

/// An input that was opened and looked at.
struct InputFile {
  std::string path;
  HFilePtr file;
  htsFormat format{};
  bool is_stdin = false;
  /// -1 for a stream.
  std::int64_t size_bytes = -1;
};

/// Opens a file, or standard input for "-", and looks at its first bytes.
/// @throws FormatError when it is missing, unreadable, a directory or empty
InputFile open_input(const std::string& path);

/// A BGZF reader over an input, its end marker checked where the file is seekable.
/// @throws FormatError when the marker is missing: the file is truncated
BgzfPtr open_bgzf(InputFile& input, const HtsThreads* threads);

/// What to do about a truncated or broken file: the end of every message about one.
std::string_view truncation_remedy();

/// Decompressed bytes in order.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Reads up to `count` bytes; 0 at the end.
  /// @throws InputDamage when the file is cut or broken
  virtual std::size_t read(char* out, std::size_t count) = 0;
  /// Bytes of the file behind the reader.
  virtual std::int64_t file_offset() const = 0;
};

/// The source that fits the input's compression. Takes the file over.
/// @throws FormatError for a compression that is not read, and as open_bgzf
std::unique_ptr<ByteSource> make_byte_source(InputFile& input, const HtsThreads* threads);

/// How a line ended.
enum class LineEnd : std::uint8_t { newline, crlf, end_of_file };

/// Cuts a byte source into lines.
class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source);

  /// The next line without its end, valid until the next call; false when there is none.
  /// @throws InputDamage
  bool next(std::string_view& line, LineEnd& end);

  std::int64_t file_offset() const { return source_->file_offset(); }

 private:
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool exhausted_ = false;
};

}  // namespace ssmgen::io
