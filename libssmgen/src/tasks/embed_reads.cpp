#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <ssmgen/embed.hpp>
#include <ssmgen/errors.hpp>

#include "tasks/embed_input.hpp"
#include "tasks/embed_run.hpp"
#include "tasks/model_impl.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// One layer's rows into memory that grows: how many reads are wanted is known at the end.
class GrowingRows : public io::ArrayWriter {
 public:
  explicit GrowingRows(ReadEmbeddings& found) : found_(found) {}

  void write(std::int64_t /*layer*/, std::int64_t first_row, std::int64_t count,
             const float* values) override {
    std::vector<float>& all = found_.values;
    const auto end = static_cast<std::size_t>((first_row + count) * found_.channels);
    if (all.size() < end) all.resize(end);
    std::copy(values, values + count * found_.channels, all.begin() + first_row * found_.channels);
  }
  void finish(std::int64_t /*rows*/) override {}
  void commit() override {}

 private:
  ReadEmbeddings& found_;
};

class EmbedReads {
 public:
  EmbedReads(const Model& model, const EmbedOptions& options, EmbedObserver& observer)
      : options_(options),
        observer_(observer),
        settings_(resolve_embed_settings(model.info(), options.settings,
                                         model.impl().backend->preferred_rows())),
        threads_(options.io_threads),
        input_(options, threads_, observer),
        rows_(found_),
        run_(model.impl(), settings_, rows_, [this](std::int64_t bases) { report(bases); }) {
    if (settings_.pooling.pool == EmbedPool::none || settings_.has_layer_dimension ||
        settings_.per_window) {
      throw InvalidArgument(
          "reads into memory are one row a read: choose pool mean, max or center:K and one layer, "
          "and no row a window; embed_files() writes the others");
    }
    if (!input_.holds_reads()) {
      throw InvalidArgument(
          fmt::format("{}: expected the reads of a SAM, BAM or CRAM, this holds {}; embed_files() "
                      "takes it",
                      input_.path(), input_.kind()));
    }
    found_.channels = settings_.channels;
  }

  ReadEmbeddings run() {
    if (!input_.is_stream()) count();
    const std::unique_ptr<io::SequenceSource> source = input_.open(false);
    for (io::SequenceRecord record; source->next(record);) add(record);
    run_.finish();
    report(run_.bases_done());
    EmbedSummary& summary = found_.summary;
    summary.rows = summary.records;
    summary.reads_without_sequence = source->without_sequence();
    summary.windows = run_.windows_run();
    summary.seconds = seconds();
    return std::move(found_);
  }

 private:
  // Goes through the file once for its lengths: progress has an end, and too much is told at once.
  void count() {
    std::int64_t reads = 0;
    bases_total_ = 0;
    const std::unique_ptr<io::SequenceSource> source = input_.open(true);
    for (io::SequenceRecord record; source->next(record);) {
      bases_total_ += record.length;
      check_size(++reads);
    }
    found_.values.reserve(static_cast<std::size_t>(reads * settings_.channels));
  }

  void check_size(std::int64_t reads) const {
    const std::int64_t bytes =
        reads * settings_.channels * static_cast<std::int64_t>(sizeof(float));
    if (options_.yes || options_.max_output_bytes <= 0 || bytes <= options_.max_output_bytes) {
      return;
    }
    throw InvalidArgument(fmt::format(
        "{}: the rows of its reads take more than the {} bytes that were allowed: choose fewer "
        "reads by region, flags or mapping quality, allow more, or write them with embed_files()",
        input_.path(), options_.max_output_bytes));
  }

  void add(const io::SequenceRecord& record) {
    const std::int64_t row = found_.summary.records++;
    check_size(row + 1);
    found_.summary.bases += record.length;
    found_.names.push_back(record.name);
    found_.contigs.push_back(record.contig);
    found_.begins.push_back(record.begin);
    found_.ends.push_back(record.end);
    found_.strands.push_back(record.strand);
    found_.flags.push_back(record.flag);
    found_.mapqs.push_back(record.mapq);
    found_.read_groups.push_back(record.read_group);
    found_.pooled_bases.push_back(pooled_bases(settings_, record.letters));
    if (found_.pooled_bases.back() == 0) ++found_.summary.empty_records;
    run_.add(row, record.letters);
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report(std::int64_t bases_done) {
    observer_.on_progress({found_.summary.records, bases_done, bases_total_, seconds()});
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const EmbedOptions& options_;
  EmbedObserver& observer_;
  ResolvedEmbed settings_;
  io::HtsThreads threads_;
  EmbedInput input_;
  ReadEmbeddings found_;
  GrowingRows rows_;
  EmbedRun run_;
  std::int64_t bases_total_ = -1;
};

}  // namespace
}  // namespace tasks

ReadEmbeddings embed_reads(const Model& model, const EmbedOptions& options,
                           EmbedObserver& observer) {
  return tasks::EmbedReads(model, options, observer).run();
}

}  // namespace ssmgen
