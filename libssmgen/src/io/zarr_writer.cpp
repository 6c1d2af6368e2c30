#include "io/zarr_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <new>
#include <optional>
#include <span>
#include <ssmgen/errors.hpp>
#include <unistd.h>
#include <zstd.h>

#include "base/files.hpp"

namespace ssmgen::io {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little);

constexpr std::int64_t default_chunk_bytes = std::int64_t{1} << 20;
constexpr int zstd_level = 3;
// In the .part folder only: what the chunks there are part of.
constexpr const char* signature_name = "ssmgen-run.json";

std::int64_t default_chunk_rows(std::int64_t channels) {
  const std::int64_t row_bytes = channels * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t rows = std::max<std::int64_t>(1, default_chunk_bytes / row_bytes);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows)));
}

void write_whole_file(const fs::path& path, std::string_view bytes) {
  try {
    base::write_file(path, std::array{std::as_bytes(std::span(bytes))});
  } catch (const DeviceError& error) {
    throw DeviceError(fmt::format(
        "{}; the unfinished output is not complete, make room or choose another place and run "
        "again with --resume",
        error.what()));
  }
}

std::string pack(const std::vector<float>& values) {
  const std::size_t bytes = values.size() * sizeof(float);
  std::string packed(ZSTD_compressBound(bytes), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), values.data(), bytes, zstd_level);
  if (ZSTD_isError(size) != 0) throw std::bad_alloc();
  packed.resize(size);
  return packed;
}

std::optional<std::int64_t> number_of(const std::string& name) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return value;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error)
    throw DeviceError(fmt::format("{}: cannot be made: {}", path.string(), error.message()));
}

}  // namespace

ZarrWriter::ZarrWriter(const std::string& path, const ArrayShape& shape, const ZarrOptions& options)
    : path_(path),
      part_(path + ".part"),
      shape_(shape),
      chunk_rows_(options.chunk_rows > 0 ? options.chunk_rows
                                         : default_chunk_rows(shape.channels)) {
  prepare_folder(options);
  pool_ = std::make_unique<WritePool>(options.threads);
}

ZarrWriter::~ZarrWriter() = default;

void ZarrWriter::prepare_folder(const ZarrOptions& options) {
  std::error_code ignored;
  if (fs::exists(path_, ignored) && !fs::exists(path_ / "zarr.json", ignored)) {
    throw InvalidArgument(fmt::format(
        "{}: is there and is no Zarr array: remove it or write to another name", path_.string()));
  }
  const fs::path folder = path_.parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    throw InvalidArgument(fmt::format("{}: the folder {} does not exist; make it first",
                                      path_.string(), folder.string()));
  }
  const std::string signature =
      fmt::format("{{\"chunk_rows\": {}, \"run\": {}}}\n", chunk_rows_, options.signature);
  const fs::path signature_path = part_ / signature_name;
  if (fs::exists(part_, ignored)) {
    const bool is_ours = fs::exists(signature_path, ignored);
    if (!is_ours && !fs::is_empty(part_, ignored)) {
      throw InvalidArgument(
          fmt::format("{}: is there and no run of this program left it: remove it or write to "
                      "another name",
                      part_.string()));
    }
    if (options.resume && is_ours) {
      if (base::read_file(signature_path) != signature) {
        throw InvalidArgument(fmt::format(
            "{}: was left by a run of another input, model or options: repeat that run's, or start "
            "anew without --resume",
            part_.string()));
      }
      find_chunks();
      return;
    }
    fs::remove_all(part_, ignored);
  }
  make_folder(part_);
  write_whole_file(signature_path, signature);
}

// What has a chunk's name is whole: it got it by being renamed.
void ZarrWriter::find_chunks() {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(part_ / "c", error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->is_regular_file()) continue;
    std::vector<std::int64_t> numbers;
    for (const fs::path& name : entry->path().lexically_relative(part_ / "c")) {
      const auto number = number_of(name.string());
      if (!number) break;
      numbers.push_back(*number);
    }
    const std::size_t dimensions = shape_.has_layer_dimension ? 3 : 2;
    if (numbers.size() != dimensions) {
      fs::remove(entry->path(), error);  // a chunk that was being written
      continue;
    }
    there_.insert(shape_.has_layer_dimension ? Key{numbers[0], numbers[1]} : Key{0, numbers[0]});
  }
}

fs::path ZarrWriter::chunk_path(const Key& key) const {
  fs::path path = part_ / "c";
  if (shape_.has_layer_dimension) path /= std::to_string(key.first);
  return path / std::to_string(key.second) / "0";
}

bool ZarrWriter::has(std::int64_t first_row, std::int64_t count) const {
  if (there_.empty()) return false;
  for (std::int64_t chunk = first_row / chunk_rows_; chunk * chunk_rows_ < first_row + count;
       ++chunk) {
    for (std::int64_t layer = 0; layer < shape_.layers; ++layer) {
      if (!there_.contains({layer, chunk})) return false;
    }
  }
  return true;
}

void ZarrWriter::write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
                       const float* values) {
  for (std::int64_t row = first_row; row < first_row + count;) {
    const Key key{layer, row / chunk_rows_};
    const std::int64_t chunk_begin = key.second * chunk_rows_;
    const std::int64_t end = std::min(first_row + count, chunk_begin + chunk_rows_);
    if (!there_.contains(key)) {
      Chunk& chunk = filling_[key];
      chunk.values.resize(static_cast<std::size_t>(chunk_rows_ * shape_.channels));
      std::copy(values + (row - first_row) * shape_.channels,
                values + (end - first_row) * shape_.channels,
                chunk.values.begin() + (row - chunk_begin) * shape_.channels);
      chunk.rows += end - row;
      const std::int64_t full =
          shape_.rows < 0 ? chunk_rows_ : std::min(chunk_rows_, shape_.rows - chunk_begin);
      if (chunk.rows == full) {
        submit(key, std::move(chunk));
        filling_.erase(key);
      }
    }
    row = end;
  }
}

void ZarrWriter::submit(const Key& key, Chunk chunk) {
  const fs::path path = chunk_path(key);
  pool_->submit([path, values = std::move(chunk.values)] {
    make_folder(path.parent_path());
    write_whole_file(path, pack(values));
  });
}

void ZarrWriter::finish(std::int64_t rows) {
  for (auto& [key, chunk] : filling_) submit(key, std::move(chunk));
  filling_.clear();
  pool_->wait();
  write_whole_file(part_ / "zarr.json", metadata(rows));
  const int descriptor = open(part_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = descriptor >= 0 && syncfs(descriptor) == 0;
  const int reason = errno;
  if (descriptor >= 0) close(descriptor);
  if (!is_synced) {
    throw DeviceError(fmt::format("{}: writing failed: {}", part_.string(), std::strerror(reason)));
  }
}

std::string ZarrWriter::metadata(std::int64_t rows) const {
  std::vector<std::int64_t> chunk = shape_.sizes(chunk_rows_);
  if (shape_.has_layer_dimension) chunk.front() = 1;
  return fmt::format(
      R"({{
  "zarr_format": 3,
  "node_type": "array",
  "shape": [{}],
  "data_type": "float32",
  "chunk_grid": {{"name": "regular", "configuration": {{"chunk_shape": [{}]}}}},
  "chunk_key_encoding": {{"name": "default", "configuration": {{"separator": "/"}}}},
  "fill_value": 0.0,
  "codecs": [
    {{"name": "bytes", "configuration": {{"endian": "little"}}}},
    {{"name": "zstd", "configuration": {{"level": {}, "checksum": false}}}}
  ],
  "dimension_names": [{}],
  "attributes": {}
}}
)",
      fmt::join(shape_.sizes(rows), ", "), fmt::join(chunk, ", "), zstd_level,
      shape_.has_layer_dimension ? R"("layer", "row", "channel")" : R"("row", "channel")",
      attributes_);
}

void ZarrWriter::commit() {
  std::error_code error;
  fs::remove(part_ / signature_name, error);
  const fs::path old = path_.string() + ".old";
  const bool replaces = fs::exists(path_, error);
  if (replaces) {
    fs::remove_all(old, error);
    fs::rename(path_, old, error);
  }
  if (!error) fs::rename(part_, path_, error);
  if (error) {
    throw DeviceError(fmt::format("{}: cannot be renamed to {}: {}", part_.string(), path_.string(),
                                  error.message()));
  }
  if (replaces) fs::remove_all(old, error);
}

}  // namespace ssmgen::io
