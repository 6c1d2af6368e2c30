#include "io/output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;

bool is_same_file(const struct stat& a, const struct stat& b) {
  return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int open_retrying(const char* path, int flags) {
  for (;;) {
    const int descriptor = open(path, flags | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

}  // namespace

OutputFile::OutputFile(const std::string& path, const std::string& input_path) {
  if (path == "-") {
    name_ = "standard output";
    descriptor_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (descriptor_ < 0) {
      throw DeviceError(fmt::format("standard output cannot be written: {}", std::strerror(errno)));
    }
    return;
  }
  if (path.empty()) throw InvalidArgument("output: the path is empty");
  name_ = path;
  final_path_ = path;
  struct stat status {};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    throw InvalidArgument(fmt::format("{}: expected a file to write, this is a directory", path));
  }
  struct stat input {};
  const bool has_input =
      input_path == "-" ? fstat(STDIN_FILENO, &input) == 0 : stat(input_path.c_str(), &input) == 0;
  if (exists && has_input && is_same_file(status, input)) {
    throw InvalidArgument(
        fmt::format("{}: is the input itself; write to another name and rename it", path));
  }
  is_regular_ = !exists || S_ISREG(status.st_mode);
  if (is_regular_) {
    // The file a link points to gets the new content, not the link.
    std::error_code error;
    if (exists && fs::is_symlink(path, error)) final_path_ = fs::canonical(path).string();
    const fs::path folder = fs::path(final_path_).parent_path();
    if (!folder.empty() && !fs::is_directory(folder, error)) {
      throw InvalidArgument(
          fmt::format("{}: the folder {} does not exist; make it first", path, folder.string()));
    }
    if (exists && access(path.c_str(), W_OK) != 0) {
      throw DeviceError(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
    }
  }
  temporary_path_ = is_regular_ ? final_path_ + ".part" : path;
  descriptor_ =
      open_retrying(temporary_path_.c_str(), O_WRONLY | (is_regular_ ? O_CREAT | O_TRUNC : 0));
  if (descriptor_ < 0) {
    throw DeviceError(
        fmt::format("{}: cannot be written: {}", temporary_path_, std::strerror(errno)));
  }
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

int OutputFile::hand_out() {
  handed_out_ = fcntl(descriptor_, F_DUPFD_CLOEXEC, 3);
  if (handed_out_ < 0) {
    throw DeviceError(fmt::format("{}: cannot be written: {}", name_, std::strerror(errno)));
  }
  return handed_out_;
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_write_error(errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void OutputFile::abandon() {
  if (handed_out_ < 0) return;
  const int nowhere = open_retrying("/dev/null", O_WRONLY);
  if (nowhere < 0) return;
  dup3(nowhere, handed_out_, O_CLOEXEC);
  ::close(nowhere);
}

void OutputFile::sync() {
  if (!is_regular_) return;
  if (fsync(descriptor_) != 0) throw_write_error(errno);
}

void OutputFile::commit() {
  if (!is_regular_) return;
  const int descriptor = descriptor_;
  descriptor_ = -1;
  // Some network file systems report a full disk only here.
  if (close(descriptor) != 0 && errno != EINTR) throw_write_error(errno);
  rename_output(temporary_path_, final_path_);
}

void OutputFile::throw_write_error(int error_number) const {
  // Compression threads keep the system's reason to themselves, so the file is asked again.
  if (error_number == 0 && !temporary_path_.empty()) {
    const int probe =
        open_retrying(temporary_path_.c_str(), O_WRONLY | (is_regular_ ? O_APPEND : 0));
    if (probe >= 0) {
      const off_t size = lseek(probe, 0, SEEK_END);
      const std::vector<char> zeros(std::size_t{1} << 20);
      ssize_t written = ::write(probe, zeros.data(), zeros.size());
      // What fits is written without an error; the rest tells why it does not.
      if (written >= 0 && static_cast<std::size_t>(written) < zeros.size()) {
        written = ::write(probe, zeros.data(), zeros.size());
      }
      if (written < 0) error_number = errno;
      if (is_regular_ && size >= 0) {
        [[maybe_unused]] const int status = ftruncate(probe, size);
      }
      ::close(probe);
    }
  }
  const std::string where =
      is_regular_ ? fmt::format("{} (for {})", temporary_path_, name_) : name_;
  throw DeviceError(fmt::format(
      "{}: writing failed: {}; the unfinished output is not complete, make room or choose another "
      "place and run again",
      where, error_number == 0 ? "the system gives no reason" : std::strerror(error_number)));
}

void rename_output(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw DeviceError(
        fmt::format("{}: cannot be renamed to {}: {}", from, to, std::strerror(errno)));
  }
}

}  // namespace ssmgen::io
