#pragma once
// numpy's .npy format, version 1.0, little-endian f32.

#include <string>

#include "io/array_writer.hpp"
#include "io/output_file.hpp"

namespace ssmgen::io {

class NpyWriter : public ArrayWriter {
 public:
  /// Opens `<path>.part`.
  /// @throws InvalidArgument when the path is not that of a regular file, or a layer dimension is
  ///   wanted and the number of rows is not known
  /// @throws DeviceError when it cannot be made
  NpyWriter(const std::string& path, const std::string& input_path, const ArrayShape& shape);
  ~NpyWriter() override;

  void write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
             const float* values) override;
  void finish(std::int64_t rows) override;
  void commit() override { file_.commit(); }

 private:
  void write_at(std::int64_t offset, const void* bytes, std::size_t count);

  ArrayShape shape_;
  OutputFile file_;
  int descriptor_ = -1;
};

}  // namespace ssmgen::io
