#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <ssmgen/embed.hpp>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"
#include "tasks/embed_input.hpp"
#include "tasks/embed_output.hpp"
#include "tasks/embed_run.hpp"
#include "tasks/provenance.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// A value in TSV, on the average.
constexpr std::int64_t tsv_value_bytes = 12;

class EmbedFiles {
 public:
  EmbedFiles(const Model& model, const EmbedOptions& options, EmbedObserver& observer)
      : model_(model),
        options_(options),
        observer_(observer),
        settings_(resolve_embed_settings(model.info(), options.settings,
                                         model.impl().backend->preferred_rows())),
        format_(choose_embed_format(options, settings_)),
        threads_(options.io_threads),
        input_(options, threads_, observer) {
    if (options.resume && format_ != EmbedFormat::zarr) {
      throw InvalidArgument("--resume goes on with Zarr, whose chunks are files: write .zarr");
    }
    if (options.chunk_rows < 0) {
      throw InvalidArgument(
          fmt::format("--chunk-rows must be 0 or more, not {}", options.chunk_rows));
    }
    shape_.layers = static_cast<std::int64_t>(settings_.layers.size());
    shape_.channels = settings_.channels;
    shape_.has_layer_dimension = settings_.has_layer_dimension;
    table_.is_sidecar = format_ != EmbedFormat::tsv;
    table_.per_window = settings_.per_window;
    table_.of_reads = input_.holds_reads();
    table_.is_pooled = settings_.pooling.pool != EmbedPool::none;
  }

  EmbedSummary run() {
    plan();
    observer_.on_plan(plan_);
    check_size(shape_.rows);
    tell_pass(model_, plan_.longest_window, false, options_.dry_run, observer_);
    if (options_.dry_run) return summary_;
    EmbedOutput output(options_, format_, settings_, shape_, table_, input_.path(), signature());
    check_room();
    EmbedRun run(model_.impl(), settings_, output.array(),
                 [this](std::int64_t bases_done) { report(bases_done); });
    const std::unique_ptr<io::SequenceSource> source = input_.open(false);
    for (io::SequenceRecord record; source->next(record);) add(record, output, run);
    run.finish();
    report(run.bases_done());
    tell_odd_records();
    summary_.reads_without_sequence = source->without_sequence();
    summary_.windows = run.windows_run();
    if (shape_.rows >= 0 && summary_.rows != shape_.rows) {
      throw FormatError(fmt::format(
          "{}: held {} rows when it was counted and {} when it was read: it changed meanwhile",
          input_.path(), shape_.rows, summary_.rows));
    }
    output.close(summary_.rows, provenance());
    summary_.seconds = seconds();
    return summary_;
  }

 private:
  // Goes through the input once for its lengths; a stream can be read only once.
  void plan() {
    plan_.input_kind = input_.kind();
    plan_.output_type = embed_format_name(format_);
    plan_.files = embed_files_of(options_, format_);
    if (!input_.is_stream()) {
      plan_.records = plan_.bases = plan_.windows = plan_.longest_window = 0;
      shape_.rows = 0;
      const std::unique_ptr<io::SequenceSource> source = input_.open(true);
      for (io::SequenceRecord record; source->next(record);) count(record.length);
      plan_.output_bytes = array_bytes(shape_.rows);
    }
    plan_.shape = shape_.sizes(shape_.rows);
  }

  void count(std::int64_t length) {
    ++plan_.records;
    plan_.bases += length;
    const EmbedUnits units(settings_, length);
    for (std::int64_t i = 0; i < units.count(); ++i) {
      const std::int64_t unit = units.end(i) - units.begin(i);
      shape_.rows += EmbedUnits::rows(settings_, unit);
      plan_.windows += EmbedUnits::windows(settings_, unit);
    }
    const std::int64_t window =
        settings_.window_bases == 0 ? length : std::min(length, settings_.window_bases);
    plan_.longest_window = std::max(plan_.longest_window, window);
  }

  std::int64_t array_bytes(std::int64_t rows) const {
    const std::int64_t value_bytes =
        format_ == EmbedFormat::tsv ? tsv_value_bytes : static_cast<std::int64_t>(sizeof(float));
    return rows * shape_.layers * shape_.channels * value_bytes;
  }

  void check_size(std::int64_t rows) const {
    if (options_.yes || options_.max_output_bytes <= 0 || rows < 0) return;
    const std::int64_t bytes = array_bytes(rows);
    if (bytes <= options_.max_output_bytes) return;
    throw InvalidArgument(fmt::format(
        "the output would hold {} bytes and more than the {} of --max-output: pool, take fewer "
        "records or layers, raise it, or give --yes",
        bytes, options_.max_output_bytes));
  }

  // A disk that is too small is told of at once and not after hours.
  void check_room() const {
    if (format_ != EmbedFormat::npy || plan_.output_bytes < 0) return;
    const std::filesystem::path folder = std::filesystem::path(options_.output).parent_path();
    std::error_code error;
    const auto space = std::filesystem::space(folder.empty() ? "." : folder, error);
    if (error || space.available >= static_cast<std::uintmax_t>(plan_.output_bytes)) return;
    throw DeviceError(
        fmt::format("{}: No space left on device: {} bytes are needed and {} are "
                    "free; make room or choose another place",
                    options_.output, plan_.output_bytes, space.available));
  }

  void add(const io::SequenceRecord& record, EmbedOutput& output, EmbedRun& run) {
    ++summary_.records;
    summary_.bases += record.length;
    const std::string_view letters = record.letters;
    note_odd_letters(record);
    const EmbedUnits units(settings_, record.length);
    for (std::int64_t i = 0; i < units.count(); ++i) {
      const std::int64_t offset = units.begin(i);
      const std::int64_t length = units.end(i) - offset;
      const std::string_view unit =
          letters.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
      const std::int64_t rows = EmbedUnits::rows(settings_, length);
      const std::int64_t bases = pooled_bases(settings_, unit);
      check_size(summary_.rows + rows);
      output.describe(table_.line(record, offset, length, summary_.rows, rows, bases));
      run.add(summary_.rows, unit);
      summary_.rows += rows;
      if (table_.is_pooled && bases == 0) ++summary_.empty_records;
    }
  }

  // A protein or RNA may have been given: the models read letters that are no code for bases as a
  // base that is not known. The first record is told of at once, how many there were at the end.
  void note_odd_letters(const io::SequenceRecord& record) {
    const std::size_t place = genome::find_no_base_code(record.letters);
    if (place == std::string_view::npos) return;
    if (++odd_records_ > 1) return;
    observer_.on_warning(fmt::format(
        "{}: record '{}': '{}' at {} is no letter of DNA and is read as a base that is not known",
        input_.path(), record.name, record.letters[place], place + 1));
  }
  void tell_odd_records() {
    if (odd_records_ < 2) return;
    observer_.on_warning(fmt::format("{}: {} of {} records have letters that are none of DNA",
                                     input_.path(), odd_records_, summary_.records));
  }

  // What every row depends on: a stopped run is gone on with by one of which this is the same.
  std::string signature() {
    nlohmann::ordered_json json = provenance_of_model(model_, false, "");
    json["input"] = input_.describe();
    json["input"]["records"] = plan_.records;
    json["input"]["bases"] = plan_.bases;
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(input_.path(), error);
    if (!error) json["input"]["bytes"] = bytes;
    json["embed"] = provenance_of_settings(settings_);
    json["shape"] = shape_.sizes(shape_.rows);
    return json.dump();
  }

  nlohmann::ordered_json provenance() {
    nlohmann::ordered_json json =
        provenance_of_model(model_, options_.write_version, options_.command_line);
    json["input"] = input_.describe();
    json["input"]["records"] = summary_.records;
    json["input"]["bases"] = summary_.bases;
    json["embed"] = provenance_of_settings(settings_);
    json["output"] = {{"name", file_name(options_.output)},
                      {"type", embed_format_name(format_)},
                      {"shape", shape_.sizes(summary_.rows)},
                      {"dtype", "float32"}};
    return json;
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report(std::int64_t bases_done) {
    observer_.on_progress({summary_.records, bases_done, plan_.bases, seconds()});
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Model& model_;
  const EmbedOptions& options_;
  EmbedObserver& observer_;
  ResolvedEmbed settings_;
  EmbedFormat format_;
  io::HtsThreads threads_;
  EmbedInput input_;
  io::ArrayShape shape_;
  EmbedTable table_;
  EmbedPlan plan_;
  EmbedSummary summary_;
  std::int64_t odd_records_ = 0;
};

}  // namespace
}  // namespace tasks

EmbedSummary embed_files(const Model& model, const EmbedOptions& options, EmbedObserver& observer) {
  return tasks::EmbedFiles(model, options, observer).run();
}

}  // namespace ssmgen
