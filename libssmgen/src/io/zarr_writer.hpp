#pragma once
// A Zarr v3 array in a folder: chunks of whole rows, each a file packed by Zstandard.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/array_writer.hpp"
#include "io/write_pool.hpp"

namespace ssmgen::io {

struct ZarrOptions {
  std::int64_t chunk_rows = 0;  ///< 0: so many that a chunk holds about 1 MiB
  int threads = 1;              ///< that pack and write; below 2 the caller does it
  /// Go on from what a stopped run left in `<path>.part`.
  bool resume = false;
  /// JSON of what the rows depend on. A run goes on only from one of the same words.
  std::string signature;
};

/// Chunks are written into `<path>.part` as soon as their rows are there, each under its own name
/// only when it is whole, so that a run which was killed can be gone on with. The bytes depend on
/// the rows alone, not on threads or stops.
class ZarrWriter : public ArrayWriter {
 public:
  /// @throws InvalidArgument when something else than an array has the name, or what is there to go
  ///   on with was made by another run
  /// @throws DeviceError when nothing can be made there
  ZarrWriter(const std::string& path, const ArrayShape& shape, const ZarrOptions& options);
  ~ZarrWriter() override;

  void write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
             const float* values) override;
  bool has(std::int64_t first_row, std::int64_t count) const override;
  void finish(std::int64_t rows) override;
  void commit() override;

  /// The array's attributes, a JSON object; before finish().
  void set_attributes(std::string json) { attributes_ = std::move(json); }

  std::int64_t chunk_rows() const noexcept { return chunk_rows_; }

 private:
  using Key = std::pair<std::int64_t, std::int64_t>;  // layer, chunk
  struct Chunk {
    std::vector<float> values;  // (chunk_rows, channels), padded with zeros
    std::int64_t rows = 0;      // that are there
  };

  void prepare_folder(const ZarrOptions& options);
  void find_chunks();
  std::filesystem::path chunk_path(const Key& key) const;
  void submit(const Key& key, Chunk chunk);
  std::string metadata(std::int64_t rows) const;

  std::filesystem::path path_;
  std::filesystem::path part_;
  ArrayShape shape_;
  std::int64_t chunk_rows_;
  std::string attributes_ = "{}";
  std::set<Key> there_;  // chunks that an earlier run wrote
  std::map<Key, Chunk> filling_;
  std::unique_ptr<WritePool> pool_;
};

}  // namespace ssmgen::io
