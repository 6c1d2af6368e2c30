#include "tasks/embed_output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ssmgen/errors.hpp>

#include "io/npy_writer.hpp"

namespace ssmgen::tasks {
namespace {

constexpr std::size_t bytes_at_once = std::size_t{1} << 16;

std::vector<std::string> layer_names(const ResolvedEmbed& settings) {
  std::vector<std::string> names;
  for (const std::int64_t layer : settings.layers) names.push_back(std::to_string(layer));
  return names;
}

}  // namespace

std::string_view embed_format_name(EmbedFormat format) {
  switch (format) {
    case EmbedFormat::npy:
      return "npy";
    case EmbedFormat::zarr:
      return "zarr";
    case EmbedFormat::tsv:
      return "tsv";
  }
  return "";
}

EmbedFormat choose_embed_format(const EmbedOptions& options, const ResolvedEmbed& settings) {
  std::string name = options.output_type;
  if (name.empty() && options.output == "-") name = "tsv";
  for (const char* suffix : {"npy", "zarr", "tsv"}) {
    if (name.empty() && options.output.ends_with(std::string(".") + suffix)) name = suffix;
  }
  if (name.empty()) {
    throw InvalidArgument(
        fmt::format("{}: the name does not say what to write: end it in .npy, .zarr or .tsv, or "
                    "give -O",
                    options.output));
  }
  if (name == "npy" || name == "zarr") {
    if (options.output == "-") {
      throw InvalidArgument(
          fmt::format("{} is written at many places at once, so it cannot go to standard output: "
                      "give -o NAME.{}",
                      name, name));
    }
    return name == "npy" ? EmbedFormat::npy : EmbedFormat::zarr;
  }
  if (name != "tsv") {
    throw InvalidArgument(
        fmt::format("output type '{}' is not known: choose npy, zarr or tsv", name));
  }
  if (settings.pooling.pool == EmbedPool::none) {
    throw InvalidArgument(
        "TSV is for pooled rows: give --pool mean, max or center:K, or write .npy or .zarr");
  }
  return EmbedFormat::tsv;
}

std::vector<std::string> embed_files_of(const EmbedOptions& options, EmbedFormat format) {
  if (options.output == "-") return {};
  std::vector<std::string> files{options.output};
  if (format != EmbedFormat::tsv) files.push_back(options.output + ".tsv");
  files.push_back(options.output + ".json");
  return files;
}

EmbedOutput::EmbedOutput(const EmbedOptions& options, EmbedFormat format,
                         const ResolvedEmbed& settings, const io::ArrayShape& shape,
                         const EmbedTable& table, const std::string& input_path,
                         const std::string& signature) {
  if (format == EmbedFormat::tsv) {
    auto tsv = std::make_unique<io::TsvWriter>(options.output, input_path, shape, table.columns(),
                                               layer_names(settings));
    tsv_ = tsv.get();
    array_ = std::move(tsv);
  } else {
    if (format == EmbedFormat::zarr) {
      io::ZarrOptions zarr;
      zarr.chunk_rows = options.chunk_rows;
      zarr.threads = options.io_threads;
      zarr.resume = options.resume;
      zarr.signature = signature;
      auto writer = std::make_unique<io::ZarrWriter>(options.output, shape, zarr);
      zarr_ = writer.get();
      array_ = std::move(writer);
    } else {
      array_ = std::make_unique<io::NpyWriter>(options.output, input_path, shape);
    }
    sidecar_.emplace(options.output + ".tsv", input_path);
    text_ = table.columns() + '\n';
  }
  if (options.output != "-") provenance_.emplace(options.output + ".json", input_path);
}

void EmbedOutput::describe(const std::string& line) {
  if (tsv_ != nullptr) {
    tsv_->describe(line);
    return;
  }
  text_ += line;
  text_ += '\n';
  if (text_.size() < bytes_at_once) return;
  sidecar_->write(text_);
  text_.clear();
}

void EmbedOutput::close(std::int64_t rows, const nlohmann::ordered_json& provenance) {
  if (zarr_ != nullptr) {
    // All but the command line, which differs where a run was gone on with.
    nlohmann::ordered_json attributes = provenance;
    attributes.erase("ssmgen");
    zarr_->set_attributes(attributes.dump());
  }
  array_->finish(rows);
  if (sidecar_) {
    sidecar_->write(text_);
    sidecar_->sync();
  }
  if (provenance_) {
    provenance_->write(provenance.dump(2) + "\n");
    provenance_->sync();
    provenance_->commit();
  }
  if (sidecar_) sidecar_->commit();
  // Last: where the array stands, everything that explains it does too.
  array_->commit();
}

}  // namespace ssmgen::tasks
