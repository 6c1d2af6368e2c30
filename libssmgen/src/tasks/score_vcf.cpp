#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <ssmgen/errors.hpp>
#include <ssmgen/score.hpp>

#include "genome/allele.hpp"
#include "genome/bases.hpp"
#include "genome/contig_names.hpp"
#include "io/fasta.hpp"
#include "io/hts_threads.hpp"
#include "io/vcf_reader.hpp"
#include "io/vcf_writer.hpp"
#include "tasks/reference_check.hpp"
#include "tasks/score_header.hpp"
#include "tasks/score_settings.hpp"
#include "tasks/site_scorer.hpp"
#include "tasks/window_passes.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// Records read and not yet written, at the most: what bounds memory, whatever the file's length.
constexpr std::size_t records_in_flight = 8192;
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
        settings_(resolve_score_settings(model.info(), options)),
        threads_(options.io_threads),
        fasta_(options.fasta, [&](const std::string& text) { observer.on_warning(text); }),
        reader_(reader_options(options)),
        names_(fasta_.contigs(), reader_.declared_contigs()),
        check_(options.check_ref, reader_, fasta_, observer),
        passes_(model.impl(), fasta_, settings_.window_bases),
        scorer_(settings_, passes_) {
    check_info_clash(options);
    // Ahead of the header, which has to name contigs that the file does not declare as its records
    // do.
    first_ = std::make_unique<PendingRecord>();
    if (!reader_.read(first_->record)) first_.reset();
    const std::vector<MatchedContig> contigs =
        matched_contigs(reader_, fasta_, names_, first_ ? first_->record.contig : "");
    say_reconciled();
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
      plan(*pending);
      waiting_.push_back(std::move(pending));
      if (passes_.pending() >= settings_.batch_windows || waiting_.size() >= records_in_flight) {
        passes_.run();
        report();
      } else if (reader_.records_read() % records_between_reports == 0) {
        report();
      }
      write_ready();
    }
    check_.finish();
    say_reconciled();
    passes_.run();
    write_ready();
    writer_->close();
    report();
    summary_.ref_mismatches = check_.mismatches();
    summary_.windows = passes_.windows_run();
    summary_.seconds = seconds();
    return summary_;
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

  // One line for all contigs, be they three or three thousand.
  void say_reconciled() {
    constexpr std::size_t told = 3;
    const auto& pairs = names_.reconciled();
    if (pairs.size() == reconciled_said_) return;
    std::string text;
    for (std::size_t i = reconciled_said_; i < std::min(pairs.size(), reconciled_said_ + told);
         ++i) {
      const auto& [vcf_name, fasta_name] = pairs[i];
      text += text.empty()
                  ? fmt::format("contig {} is {} of {}", vcf_name, fasta_name, fasta_.path())
                  : fmt::format(", {} is {}", vcf_name, fasta_name);
    }
    if (pairs.size() > reconciled_said_ + told) {
      text += fmt::format(", and {} more by the same rule", pairs.size() - reconciled_said_ - told);
    }
    observer_.on_note(reader_.path() + ": " + text);
    reconciled_said_ = pairs.size();
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

  void plan(PendingRecord& pending) {
    const io::VcfRecord& record = pending.record;
    pending.alleles.clear();
    Site site;
    site.position = record.position;
    site.contig = names_.find(record.contig);
    const genome::Reason blocked = check_.check(record, site.contig);
    if (site.contig >= 0) {
      site.contig_length = fasta_.contigs()[static_cast<std::size_t>(site.contig)].length;
    }
    for (const std::string& alt : record.alts) {
      // What the allele is comes before where it lies: a <DEL> stays symbolic on any contig.
      const genome::Reason of_kind = genome::reason_of(genome::classify_allele(record.ref, alt));
      if (of_kind == genome::Reason::none && blocked == genome::Reason::none) {
        pending.alleles.push_back(scorer_.plan(site, record.ref, alt));
      } else {
        pending.alleles.emplace_back().reason = of_kind != genome::Reason::none ? of_kind : blocked;
      }
    }
  }

  void write_ready() {
    while (!waiting_.empty() &&
           std::all_of(waiting_.front()->alleles.begin(), waiting_.front()->alleles.end(),
                       SiteScorer::is_ready)) {
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
    std::vector<std::string> reasons(alleles);
    bool has_reason = false;
    for (std::size_t i = 0; i < alleles; ++i) {
      scorer_.scores(pending.alleles[i], values_);
      // A model whose numbers overflow must not write NaN; the allele says so instead.
      genome::Reason reason = pending.alleles[i].reason;
      if (reason == genome::Reason::none &&
          !std::all_of(values_.begin(), values_.end(), [](float v) { return std::isfinite(v); })) {
        reason = genome::Reason::not_finite;
        values_.assign(values_.size(), std::numeric_limits<float>::quiet_NaN());
      }
      for (std::size_t mode = 0; mode < modes; ++mode) {
        std::get<std::vector<float>>(fields_[mode].values)[i] = values_[mode];
      }
      ++summary_.alleles;
      if (reason == genome::Reason::none) {
        ++summary_.scored_alleles;
      } else {
        has_reason = true;
        reasons[i] = genome::reason_name(reason);
        ++summary_.unscored_by_reason[reasons[i]];
      }
    }
    if (!has_reason) reasons.clear();
    fields_.back().id = settings_.reason_tag();
    fields_.back().values = std::move(reasons);
    writer_->write(pending.record, fields_);
    ++summary_.records;
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
  genome::ContigNames names_;
  ReferenceCheck check_;
  WindowPasses passes_;
  SiteScorer scorer_;
  std::unique_ptr<io::VcfWriter> writer_;
  std::unique_ptr<PendingRecord> first_;
  std::size_t reconciled_said_ = 0;
  std::deque<std::unique_ptr<PendingRecord>> waiting_;
  std::vector<std::unique_ptr<PendingRecord>> spare_;
  std::vector<io::InfoField> fields_;
  std::vector<float> values_;
  ScoreSummary summary_;
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
