#pragma once
// Rows of f32 into an array on disk, in any order.

#include <cstdint>
#include <string>
#include <vector>

namespace ssmgen::io {

/// An array (layers, rows, channels), or (rows, channels) where there is one layer and it is not
/// to be a dimension.
struct ArrayShape {
  std::int64_t layers = 1;
  std::int64_t rows = -1;  ///< -1 when only the end of the input tells
  std::int64_t channels = 0;
  bool has_layer_dimension = false;

  /// The sizes, `rows_known` in place of rows.
  std::vector<std::int64_t> sizes(std::int64_t rows_known) const {
    if (has_layer_dimension) return {layers, rows_known, channels};
    return {rows_known, channels};
  }
};

class ArrayWriter {
 public:
  virtual ~ArrayWriter() = default;

  /// Writes rows [first_row, first_row + count) of a layer; every row is written once.
  /// @throws DeviceError when the disk is full or fails
  virtual void write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
                     const float* values) = 0;

  /// True when an earlier run wrote all of these rows, in every layer: they need not come again.
  virtual bool has(std::int64_t /*first_row*/, std::int64_t /*count*/) const { return false; }

  /// Completes the array of so many rows and brings it to the disk.
  /// @throws DeviceError
  virtual void finish(std::int64_t rows) = 0;

  /// Gives it its name, after finish(). @throws DeviceError
  virtual void commit() = 0;
};

}  // namespace ssmgen::io
