#pragma once
// The safetensors format: 8 bytes little-endian header length, a JSON header of name ->
// {dtype, shape, data_offsets}, then the tensors' bytes without gaps. Files come from strangers, so
// the reader checks every number before it uses it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/files.hpp"
#include "models/tensor_dtype.hpp"

namespace ssmgen::models {

/// One tensor of a file; row-major. `bytes` points into the mapped file, at any alignment.
struct TensorEntry {
  std::string name;
  TensorDtype dtype = TensorDtype::f32;
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::span<const std::byte> bytes;

  std::int64_t elements() const noexcept;  ///< product of the shape
};

/// "[256, 64]", for messages.
std::string shape_text(std::span<const std::int64_t> shape);

/// Whether a conversion to f32 lets NaN and infinity through.
enum class NonFinite : std::uint8_t { refuse, keep };

/// A safetensors file, mapped and checked as a whole when it is opened; move-only.
class SafetensorsFile {
 public:
  /// @throws FormatError naming file and tensor for whatever is wrong with the file.
  static SafetensorsFile open(const std::filesystem::path& path);

  /// Reads a file that is in memory already, which must outlive the object. `path` is for messages.
  static SafetensorsFile from_bytes(std::span<const std::byte> bytes,
                                    const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Tensors in the order of their bytes in the file.
  const std::vector<TensorEntry>& tensors() const noexcept { return tensors_; }
  const TensorEntry* find(std::string_view name) const;  ///< null when absent
  /// @throws FormatError naming the file when it has no such tensor.
  const TensorEntry& at(std::string_view name) const;

  /// The free-form strings of `__metadata__`.
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }

  /// The whole file, header included.
  std::span<const std::byte> file_bytes() const noexcept { return bytes_; }

  /// The tensor as f32 from F16, BF16, F32 or F64. @throws FormatError for another dtype and,
  /// unless kept, for a NaN or an infinity (one that comes of rounding F64 included), naming its
  /// index.
  std::vector<float> read_f32(const TensorEntry& entry,
                              NonFinite non_finite = NonFinite::refuse) const;

  /// The tensor as int64 from BOOL or an integer type. @throws FormatError for another dtype.
  std::vector<std::int64_t> read_i64(const TensorEntry& entry) const;

 private:
  void parse();

  std::filesystem::path path_;
  base::MappedFile file_;
  std::span<const std::byte> bytes_;
  std::vector<TensorEntry> tensors_;
  std::unordered_map<std::string, std::size_t> index_;
  std::map<std::string, std::string> metadata_;
};

/// A tensor to be written; the bytes are the caller's and must live until the write returns.
struct TensorToWrite {
  std::string name;
  TensorDtype dtype = TensorDtype::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// A tensor to be written from f32 or int64 values.
TensorToWrite f32_tensor(std::string name, std::vector<std::int64_t> shape,
                         std::span<const float> values);
TensorToWrite i64_tensor(std::string name, std::vector<std::int64_t> shape,
                         std::span<const std::int64_t> values);

/// Writes the tensors in the order given, under a temporary name that is renamed at the end.
/// @throws InvalidArgument for a duplicate or reserved name or bytes that do not match the shape;
/// @throws DeviceError naming the path when it cannot be written.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace ssmgen::models
