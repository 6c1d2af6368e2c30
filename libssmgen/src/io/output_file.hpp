#pragma once
// An output under a temporary name until it is complete. Internal to this folder.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ssmgen::io {

/// An open file, pipe or standard output to write to.
///
/// A regular file is written as `<path>.part` and gets its name by commit(); anything else (a pipe,
/// /dev/null) is written in place.
class OutputFile {
 public:
  /// @param input_path the file that is read at the same time, "-" for standard input
  /// @throws InvalidArgument when the path is the input, a directory, or in no folder
  /// @throws DeviceError when it cannot be made
  OutputFile(const std::string& path, const std::string& input_path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// The name for messages.
  const std::string& name() const { return name_; }
  /// Where the bytes go before commit(), and the final path.
  const std::string& temporary_path() const { return temporary_path_; }
  const std::string& final_path() const { return final_path_; }
  bool is_regular() const { return is_regular_; }

  /// A descriptor of the same file for somebody who will close it. From then on it is theirs to
  /// write; abandon() cuts it off.
  int hand_out();

  /// Writes all bytes. @throws DeviceError
  void write(std::string_view bytes);

  /// What happens to bytes still in somebody's buffers: nothing. Without this, an interrupted run
  /// would end its output with the marker that says "complete".
  void abandon();

  /// Brings everything to the disk. @throws DeviceError
  void sync();

  /// Gives a regular file its name. @throws DeviceError
  void commit();

  /// Throws a DeviceError that says why writing failed: disk full, file too large, ...
  [[noreturn]] void throw_write_error(int error_number) const;

 private:
  std::string name_;
  std::string temporary_path_;
  std::string final_path_;
  bool is_regular_ = false;
  int descriptor_ = -1;
  int handed_out_ = -1;
};

/// Renames, replacing what is there. @throws DeviceError
void rename_output(const std::string& from, const std::string& to);

}  // namespace ssmgen::io
