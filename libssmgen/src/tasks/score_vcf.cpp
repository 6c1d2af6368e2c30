#include <algorithm>
#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <memory>
#include <ssmgen/errors.hpp>
#include <ssmgen/score.hpp>

#include "io/fasta.hpp"
#include "io/hts_threads.hpp"
#include "io/vcf_reader.hpp"
#include "io/vcf_writer.hpp"
#include "tasks/record_scorer.hpp"
#include "tasks/score_header.hpp"

namespace ssmgen {
namespace tasks {
namespace {

constexpr std::int64_t records_between_reports = 1024;

// A record waiting for its windows. Reused, so that reading allocates little.
struct PendingRecord {
  io::VcfRecord record;
  std::vector<PlannedAllele> alleles;
};

class ScoreRun {
 public:
  ScoreRun(const Model& model, const ScoreOptions& options, ScoreObserver& observer)
      : observer_(observer),
        settings_(resolve_score_settings(model.info(), options, options.tag_prefix)),
        threads_(options.io_threads),
        fasta_(options.fasta, [&](const std::string& text) { observer.on_warning(text); }),
        reader_(reader_options(options)),
        scorer_(model.impl(), settings_, options.check_ref, reader_.path(),
                reader_.declared_contigs(), fasta_, observer) {
    check_info_clash(options);
    // Ahead of the header, which has to name contigs that the file does not declare as its records
    // do.
    first_ = std::make_unique<PendingRecord>();
    if (!reader_.read(first_->record)) first_.reset();
    const std::vector<MatchedContig> contigs =
        matched_contigs(reader_, fasta_, scorer_.names(), first_ ? first_->record.contig : "");
    scorer_.say_reconciled();
    io::VcfWriterOptions writer;
    writer.path = options.output;
    writer.format = io::choose_vcf_format(options.output_type, options.output);
    writer.index = index_kind(options.write_index);
    writer.threads = &threads_;
    writer.header_lines = score_header_lines(model, settings_, options, fasta_, contigs);
    for (const MatchedContig& contig : contigs) {
      writer.contigs.push_back(
          {contig.name, fasta_.contigs()[static_cast<std::size_t>(contig.fasta_index)].length});
    }
    writer_ = std::make_unique<io::VcfWriter>(std::move(writer), reader_);
  }

  ScoreSummary run() {
    while (std::unique_ptr<PendingRecord> pending = next()) {
      const io::VcfRecord& record = pending->record;
      pending->alleles = scorer_.plan(
          {record.contig, record.position, record.ref, record.record_number}, record.alts);
      waiting_.push_back(std::move(pending));
      if (scorer_.is_due(waiting_.size())) {
        scorer_.run();
        report();
      } else if (reader_.records_read() % records_between_reports == 0) {
        report();
      }
      write_ready();
    }
    scorer_.finish_plans();
    scorer_.run();
    write_ready();
    writer_->close();
    report();
    ScoreSummary summary = scorer_.summary();
    summary.seconds = seconds();
    return summary;
  }

 private:
  io::VcfReaderOptions reader_options(const ScoreOptions& options) {
    io::VcfReaderOptions reader;
    reader.path = options.input;
    reader.regions = options.regions;
    reader.regions_file = options.regions_file;
    reader.targets = options.targets;
    reader.targets_file = options.targets_file;
    reader.regions_overlap = io::parse_region_overlap(options.regions_overlap);
    reader.targets_overlap = io::parse_region_overlap(options.targets_overlap);
    reader.threads = &threads_;
    reader.on_warning = [this](const std::string& text) { observer_.on_warning(text); };
    return reader;
  }

  static io::VcfIndexKind index_kind(const std::string& name) {
    if (name.empty()) return io::VcfIndexKind::none;
    if (name == "csi") return io::VcfIndexKind::csi;
    if (name == "tbi") return io::VcfIndexKind::tbi;
    throw InvalidArgument(fmt::format("index '{}' is not known: choose csi or tbi", name));
  }

  void check_info_clash(const ScoreOptions& options) const {
    if (options.overwrite) return;
    std::vector<std::string> tags{settings_.reason_tag()};
    for (const ScoreMode mode : settings_.modes) tags.push_back(settings_.tag(mode));
    for (const std::string& tag : tags) {
      if (reader_.has_info(tag)) {
        throw FormatError(
            fmt::format("{}: the header already declares INFO/{}: give --overwrite to replace it "
                        "or --tag-prefix to use other names",
                        reader_.path(), tag));
      }
    }
  }

  // The next record; null at the end.
  std::unique_ptr<PendingRecord> next() {
    if (first_) return std::move(first_);
    std::unique_ptr<PendingRecord> pending;
    if (spare_.empty()) {
      pending = std::make_unique<PendingRecord>();
    } else {
      pending = std::move(spare_.back());
      spare_.pop_back();
    }
    if (!reader_.read(pending->record)) pending.reset();
    return pending;
  }

  void write_ready() {
    while (!waiting_.empty() && RecordScorer::is_ready(waiting_.front()->alleles)) {
      std::unique_ptr<PendingRecord> pending = std::move(waiting_.front());
      waiting_.pop_front();
      write(*pending);
      spare_.push_back(std::move(pending));
    }
  }

  void write(PendingRecord& pending) {
    const std::size_t alleles = pending.alleles.size();
    // Every field each time: one without values takes away what an earlier run left there.
    const std::size_t modes = settings_.modes.size();
    fields_.resize(modes + 1);
    for (std::size_t mode = 0; mode < modes; ++mode) {
      fields_[mode].id = settings_.tag(settings_.modes[mode]);
      fields_[mode].values = std::vector<float>(alleles);
    }
    std::vector<std::string> reasons;
    scorer_.scores(pending.alleles, values_, reasons);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      std::get<std::vector<float>>(fields_[i % modes].values)[i / modes] = values_[i];
    }
    if (std::all_of(reasons.begin(), reasons.end(),
                    [](const std::string& reason) { return reason.empty(); })) {
      reasons.clear();
    }
    fields_.back().id = settings_.reason_tag();
    fields_.back().values = std::move(reasons);
    writer_->write(pending.record, fields_);
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report() {
    const io::VcfProgress progress = reader_.progress();
    observer_.on_progress({reader_.records_read(), writer_->records_written(), progress.bytes_read,
                           progress.bytes_total, seconds()});
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  ScoreObserver& observer_;
  ScoreSettings settings_;
  io::HtsThreads threads_;
  io::Fasta fasta_;
  io::VcfReader reader_;
  RecordScorer scorer_;
  std::unique_ptr<io::VcfWriter> writer_;
  std::unique_ptr<PendingRecord> first_;
  std::deque<std::unique_ptr<PendingRecord>> waiting_;
  std::vector<std::unique_ptr<PendingRecord>> spare_;
  std::vector<io::InfoField> fields_;
  std::vector<float> values_;
};

}  // namespace
}  // namespace tasks

ScoreSummary score_vcf(const Model& model, const ScoreOptions& options, ScoreObserver& observer) {
  const tasks::ScoreSettings settings = tasks::resolve_score_settings(model.info(), options);
  tell_pass(model, settings.window_bases, false, options.dry_run, observer);
  if (options.dry_run) return {};
  return tasks::ScoreRun(model, options, observer).run();
}

}  // namespace ssmgen
