#pragma once
// A model directory: config.json and the weights, in one safetensors file or in shards. It hands
// tensors out by name and keeps count of what was used, tied, missing and left over.

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "models/safetensors.hpp"

namespace ssmgen::models {

/// A tensor the model has under `name` and the file stores as `stored_as`.
struct TiedTensor {
  std::string name;
  std::string stored_as;
};

/// Weights and config of one directory; move-only, used by one thread at a time.
class Checkpoint {
 public:
  using Shape = std::vector<std::int64_t>;

  /// Maps the weights of `directory` and parses its config.json; reads no weight yet.
  /// @throws FormatError for a missing directory or file, a malformed file, shards that disagree
  /// with their index, or weights in PyTorch's own format (with the command that converts them).
  static Checkpoint open(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const noexcept { return directory_; }
  /// The last part of the directory's name.
  const std::string& model_name() const noexcept { return model_name_; }
  const base::JsonValue& config() const noexcept { return config_; }

  bool has(std::string_view name) const;
  /// The entry as stored; null when absent. Does not count as use.
  const TensorEntry* find(std::string_view name) const;
  /// Names of all tensors, sorted.
  std::vector<std::string> names() const;

  /// The tensor as f32, marked as used. @throws FormatError when it is missing, has another shape
  /// than `expected` (both named), is not floating point, or holds a NaN or infinity.
  std::vector<float> f32(std::string_view name, const Shape& expected);

  /// The first of `names` that is stored. Finding a later one records the first as tied to it; when
  /// none is stored the error names the first. @throws FormatError as f32().
  std::vector<float> f32_or(std::initializer_list<std::string> names, const Shape& expected);

  /// None when the tensor is absent; else as f32().
  std::optional<std::vector<float>> f32_optional(std::string_view name, const Shape& expected);

  /// An integer buffer, marked as used; none when absent. @throws FormatError for another shape or
  /// a dtype that is no integer.
  std::optional<std::vector<std::int64_t>> i64_optional(std::string_view name,
                                                        const Shape& expected);

  /// Records that the model's `name` is `used_instead` in the file (which need not be read again).
  void alias(std::string_view name, std::string_view used_instead);

  /// Marks a tensor as known and not needed; nothing happens when it is absent.
  void mark_used(std::string_view name);

  /// In place of throwing at the first missing tensor, f32() and f32_or() record it and return
  /// zeros, so that check_complete() (or `ssmgen info`) can name them all.
  void collect_missing(bool collect) noexcept { collect_missing_ = collect; }
  /// @throws FormatError naming the tensors that were missing; nothing when none was.
  void check_complete() const;

  const std::vector<TiedTensor>& tied() const noexcept { return tied_; }
  const std::vector<std::string>& missing() const noexcept { return missing_; }
  /// Stored tensors that nothing has used, sorted.
  std::vector<std::string> unused() const;

  /// Stored floating point elements, shared ones once; integer buffers are no parameters.
  std::int64_t parameter_count() const;
  /// Stored dtypes of the parameters with their number of elements, for example {"F32": 812345}.
  std::map<std::string, std::int64_t> parameter_dtypes() const;
  /// Bytes of the weight files.
  std::int64_t weights_bytes() const;
  /// Weight files in the order they are hashed in: shards sorted by file name.
  std::vector<std::filesystem::path> weight_files() const;

  /// SHA-256 of the weight file's bytes, header included, as 64 hexadecimal digits; of several
  /// shards, of their concatenation in the order of weight_files(). Computed at the first call.
  const std::string& weights_sha256() const;

 private:
  struct Location {
    std::size_t shard;
    const TensorEntry* entry;
  };
  explicit Checkpoint(base::JsonValue config);
  void add_shard(const std::filesystem::path& path);
  void open_shards(const std::filesystem::path& index_path);
  const Location* locate(std::string_view name) const;
  void check_shape(const Location& location, const Shape& expected) const;
  std::vector<float> read(const Location& location, const Shape& expected);

  std::filesystem::path directory_;
  std::string model_name_;
  base::JsonValue config_;
  std::vector<SafetensorsFile> shards_;
  std::map<std::string, Location, std::less<>> tensors_;
  std::set<std::string, std::less<>> used_;
  std::vector<TiedTensor> tied_;
  std::vector<std::string> missing_;
  bool collect_missing_ = false;
  mutable std::string weights_sha256_;
};

}  // namespace ssmgen::models
