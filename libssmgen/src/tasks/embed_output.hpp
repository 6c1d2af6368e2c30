#pragma once
// What `ssmgen embed` writes: the array, what says of each row what it is, and the provenance.

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ssmgen/embed.hpp>
#include <string>
#include <vector>

#include "io/array_writer.hpp"
#include "io/output_file.hpp"
#include "io/tsv_writer.hpp"
#include "io/zarr_writer.hpp"
#include "tasks/embed_settings.hpp"
#include "tasks/embed_table.hpp"

namespace ssmgen::tasks {

enum class EmbedFormat : std::uint8_t { npy, zarr, tsv };
std::string_view embed_format_name(EmbedFormat format);

/// What `output_type`, else the suffix of `output`, says.
/// @throws InvalidArgument when neither says anything
EmbedFormat choose_embed_format(const EmbedOptions& options, const ResolvedEmbed& settings);

/// The files of an output, the array first; none for standard output.
std::vector<std::string> embed_files_of(const EmbedOptions& options, EmbedFormat format);

class EmbedOutput {
 public:
  /// Opens every file as `.part`.
  /// @param signature JSON of what the rows depend on, for going on with a stopped run
  /// @throws as OutputFile and the writers
  EmbedOutput(const EmbedOptions& options, EmbedFormat format, const ResolvedEmbed& settings,
              const io::ArrayShape& shape, const EmbedTable& table, const std::string& input_path,
              const std::string& signature);

  io::ArrayWriter& array() { return *array_; }

  /// Says what the next rows are; comes before them, in their order.
  void describe(const std::string& line);

  /// Brings everything to the disk, then gives it its names.
  void close(std::int64_t rows, const nlohmann::ordered_json& provenance);

 private:
  std::unique_ptr<io::ArrayWriter> array_;
  io::TsvWriter* tsv_ = nullptr;    // array_, when it is one
  io::ZarrWriter* zarr_ = nullptr;  // the same
  std::optional<io::OutputFile> sidecar_;
  std::optional<io::OutputFile> provenance_;
  std::string text_;
};

}  // namespace ssmgen::tasks
