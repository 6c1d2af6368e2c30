#include "base/files.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ssmgen::base {

namespace {

std::string error_text(int number) {
  return std::generic_category().message(number);
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action) {
  const int number = errno;
  throw FormatError(fmt::format("cannot {} '{}': {}", action, path.string(), error_text(number)));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.release()) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

// O_NONBLOCK: opening a FIFO that nobody writes to must not hang before its kind is known.
FileDescriptor open_regular(const std::filesystem::path& path, std::int64_t& size) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail(path, "open");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "inspect");
  if (!S_ISREG(status.st_mode)) {
    throw FormatError(fmt::format("expected a regular file, but '{}' is {}", path.string(),
                                  S_ISDIR(status.st_mode) ? "a directory" : "no regular file"));
  }
  size = status.st_size;
  return file;
}

}  // namespace

PathKind path_kind(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return PathKind::missing;
    fail(path, "inspect");
  }
  if (S_ISREG(status.st_mode)) return PathKind::file;
  if (S_ISDIR(status.st_mode)) return PathKind::directory;
  return PathKind::other;
}

bool file_exists(const std::filesystem::path& path) {
  return path_kind(path) == PathKind::file;
}

std::int64_t file_bytes(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail(path, "inspect");
  if (!S_ISREG(status.st_mode)) {
    throw FormatError(fmt::format("expected a regular file, but '{}' is none", path.string()));
  }
  return status.st_size;
}

std::string read_file(const std::filesystem::path& path, std::int64_t max_bytes) {
  std::int64_t size = 0;
  const FileDescriptor file = open_regular(path, size);
  std::string bytes(static_cast<std::size_t>(std::min(size, max_bytes)), '\0');
  std::size_t filled = 0;
  // Read to the end of the file, not to its size: files of /proc say 0, and a file may grow.
  while (true) {
    if (filled == bytes.size()) {
      if (static_cast<std::int64_t>(filled) > max_bytes) break;
      bytes.resize(filled + 4096);
    }
    const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (static_cast<std::int64_t>(filled) > max_bytes) {
    throw FormatError(fmt::format("'{}' is larger than the {} bytes expected of it at most",
                                  path.string(), max_bytes));
  }
  bytes.resize(filled);
  return bytes;
}

void write_file(const std::filesystem::path& path,
                std::span<const std::span<const std::byte>> parts) {
  const std::string part_path = path.string() + ".part";
  const auto refuse = [&](std::string_view action, const std::string& subject) {
    const int number = errno;
    ::unlink(part_path.c_str());
    throw DeviceError(fmt::format("cannot {} '{}': {}", action, subject, error_text(number)));
  };
  FileDescriptor file(::open(part_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) refuse("create", part_path);
  for (std::span<const std::byte> part : parts) {
    while (!part.empty()) {
      const ssize_t written = ::write(file.get(), part.data(), part.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse("write", part_path);
      part = part.subspan(static_cast<std::size_t>(written));
    }
  }
  // A full disk may show only here.
  if (::close(file.release()) != 0) refuse("close", part_path);
  if (::rename(part_path.c_str(), path.c_str()) != 0) refuse("rename the new file to", path);
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  std::int64_t size = 0;
  const FileDescriptor file = open_regular(path, size);
  if (size == 0) return;  // mmap refuses a length of 0
  void* address =
      ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail(path, "map");
  data_ = static_cast<const std::byte*>(address);
  size_ = static_cast<std::size_t>(size);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace ssmgen::base
