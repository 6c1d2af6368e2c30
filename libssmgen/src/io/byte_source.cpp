#include "io/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace ssmgen::io {
namespace {

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(HFilePtr file) : file_(std::move(file)) {}

  std::size_t read(char* out, std::size_t count) override {
    const ssize_t got = hread(file_.get(), out, count);
    if (got < 0) throw InputDamage{fmt::format("reading failed: {}", std::strerror(errno))};
    return static_cast<std::size_t>(got);
  }
  std::int64_t file_offset() const override { return htell(file_.get()); }

 private:
  HFilePtr file_;
};

class BgzfSource : public ByteSource {
 public:
  explicit BgzfSource(BgzfPtr file) : file_(std::move(file)) {}

  // Block by block, so that every byte before a broken block is still handed out.
  std::size_t read(char* out, std::size_t count) override {
    const int next = bgzf_peek(file_.get());
    if (next == -1) {
      if (file_->no_eof_block != 0) throw InputDamage{"truncated: the BGZF end marker is missing"};
      return 0;
    }
    ssize_t got = -1;
    if (next >= 0) {
      const int available = file_->block_length - file_->block_offset;
      got = bgzf_read(file_.get(), out, std::min(count, static_cast<std::size_t>(available)));
    }
    if (got <= 0) {
      throw InputDamage{fmt::format("truncated or damaged: the BGZF block at byte {} is broken",
                                    file_->block_address)};
    }
    return static_cast<std::size_t>(got);
  }
  std::int64_t file_offset() const override { return file_->block_address; }

 private:
  BgzfPtr file_;
};

// htslib takes the end of a plain gzip file for the end of its stream, so it is read here.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(HFilePtr file) : file_(std::move(file)), input_(1 << 16) {
    constexpr int gzip_window = 15 + 16;
    if (inflateInit2(&stream_, gzip_window) != Z_OK) throw std::bad_alloc();
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  std::size_t read(char* out, std::size_t count) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    const auto room = static_cast<uInt>(std::min<std::size_t>(count, 1U << 30));
    stream_.avail_out = room;
    while (stream_.avail_out == room) {
      if (stream_.avail_in == 0 && !refill()) {
        if (inside_) throw InputDamage{"truncated: the gzip stream ends in its middle"};
        return 0;
      }
      if (!inside_ && !begin_member()) return 0;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        inside_ = false;
        inflateReset(&stream_);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw InputDamage{fmt::format("damaged gzip stream near byte {}: {}", file_offset(),
                                      stream_.msg == nullptr ? "inflate failed" : stream_.msg)};
      }
    }
    return room - stream_.avail_out;
  }
  std::int64_t file_offset() const override {
    return htell(file_.get()) - static_cast<std::int64_t>(stream_.avail_in);
  }

 private:
  bool refill() {
    const ssize_t got = hread(file_.get(), input_.data(), input_.size());
    if (got < 0) throw InputDamage{fmt::format("reading failed: {}", std::strerror(errno))};
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(got);
    return got > 0;
  }

  // A file may hold several members one after the other, and be padded with zeros.
  bool begin_member() {
    while (*stream_.next_in == 0) {
      ++stream_.next_in;
      if (--stream_.avail_in == 0 && !refill()) return false;
    }
    inside_ = true;
    return true;
  }

  HFilePtr file_;
  std::vector<unsigned char> input_;
  z_stream stream_{};
  bool inside_ = false;
};

std::string describe(const htsFormat& format) {
  const std::unique_ptr<char, FreeWith<std::free>> text(hts_format_description(&format));
  return text == nullptr ? "an unknown format" : text.get();
}

}  // namespace

InputFile open_input(const std::string& path) {
  silence_htslib();
  InputFile input;
  input.is_stdin = path == "-";
  input.path = input.is_stdin ? "standard input" : path;
  struct stat status {};
  // A descriptor of its own: closing it must not close the process's standard input.
  const int known = input.is_stdin ? fstat(STDIN_FILENO, &status) : stat(path.c_str(), &status);
  if (known != 0) {
    throw FormatError(fmt::format("{}: cannot be opened: {}", input.path, std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) {
    throw FormatError(fmt::format("{}: expected a file, this is a directory", input.path));
  }
  if (S_ISREG(status.st_mode)) input.size_bytes = status.st_size;
  if (input.is_stdin) {
    const int descriptor = dup(STDIN_FILENO);
    if (descriptor >= 0) input.file.reset(hdopen(descriptor, "r"));
  } else {
    input.file.reset(hopen(path.c_str(), "r"));
  }
  if (input.file == nullptr) {
    throw FormatError(fmt::format("{}: cannot be opened: {}", input.path, std::strerror(errno)));
  }
  char first = 0;
  const ssize_t got = hpeek(input.file.get(), &first, 1);
  if (got < 0) {
    throw FormatError(fmt::format("{}: cannot be read: {}", input.path, std::strerror(errno)));
  }
  if (got == 0) throw FormatError(fmt::format("{}: the file is empty", input.path));
  if (hts_detect_format(input.file.get(), &input.format) != 0) {
    throw FormatError(fmt::format("{}: cannot be read: {}", input.path, std::strerror(errno)));
  }
  return input;
}

std::string_view truncation_remedy() {
  return "make or download the file again and compare its size or checksum with the source's";
}

BgzfPtr open_bgzf(InputFile& input, const HtsThreads* threads) {
  BgzfPtr file(bgzf_hopen(input.file.get(), "r"));
  if (file == nullptr) {
    throw FormatError(fmt::format("{}: cannot be read as BGZF", input.path));
  }
  static_cast<void>(input.file.release());
  if (bgzf_check_EOF(file.get()) <= 0) {
    throw FormatError(fmt::format(
        "{}: truncated: the BGZF end marker is missing (looked for first, 0 records were read); {}",
        input.path, truncation_remedy()));
  }
  use_threads(file.get(), threads);
  return file;
}

std::unique_ptr<ByteSource> make_byte_source(InputFile& input, const HtsThreads* threads) {
  switch (input.format.compression) {
    case no_compression:
      return std::make_unique<PlainSource>(std::move(input.file));
    case gzip:
      return std::make_unique<GzipSource>(std::move(input.file));
    case bgzf:
      return std::make_unique<BgzfSource>(open_bgzf(input, threads));
    default:
      throw FormatError(
          fmt::format("{}: expected plain text, bgzip or gzip, this is {}; "
                      "decompress it and compress it with bgzip",
                      input.path, describe(input.format)));
  }
}

LineReader::LineReader(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), buffer_(1 << 18) {}

bool LineReader::next(std::string_view& line, LineEnd& end) {
  std::size_t scanned = begin_;
  for (;;) {
    const char* start = buffer_.data() + begin_;
    const auto* newline =
        static_cast<const char*>(std::memchr(buffer_.data() + scanned, '\n', end_ - scanned));
    if (newline != nullptr) {
      std::size_t length = static_cast<std::size_t>(newline - start);
      begin_ += length + 1;
      end = LineEnd::newline;
      if (length > 0 && start[length - 1] == '\r') {
        --length;
        end = LineEnd::crlf;
      }
      line = {start, length};
      return true;
    }
    scanned = end_;
    if (exhausted_) {
      line = {start, end_ - begin_};
      end = LineEnd::end_of_file;
      begin_ = end_;
      return !line.empty();
    }
    if (end_ == buffer_.size()) {
      // Make room: drop what was handed out, or grow for a line longer than the buffer.
      if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
      } else {
        buffer_.resize(2 * buffer_.size());
      }
      scanned = end_;
    }
    const std::size_t got = source_->read(buffer_.data() + end_, buffer_.size() - end_);
    if (got == 0) exhausted_ = true;
    end_ += got;
  }
}

}  // namespace ssmgen::io
