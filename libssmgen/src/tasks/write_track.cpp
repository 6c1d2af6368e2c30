#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <numeric>
#include <optional>
#include <ssmgen/embed.hpp>
#include <ssmgen/errors.hpp>

#include "io/bed_reader.hpp"
#include "io/bigwig_writer.hpp"
#include "io/fasta.hpp"
#include "io/output_file.hpp"
#include "tasks/provenance.hpp"
#include "tasks/track_passes.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// Of a value, packed, with its share of the zoom levels.
constexpr std::int64_t value_bytes = 5;

class TrackRun {
 public:
  TrackRun(const Model& model, const TrackOptions& options, EmbedObserver& observer)
      : model_(model),
        options_(options),
        observer_(observer),
        settings_(resolve_track_settings(model, options)),
        fasta_(options.fasta, [&](const std::string& text) { observer.on_warning(text); }) {
    if (options.output.empty() || options.output == "-") {
      throw InvalidArgument(
          "a bigWig is written at many places at once, so it cannot go to standard output: give -o "
          "NAME.bw");
    }
    order_contigs();
    read_regions();
    passes_.emplace(
        model, options, settings_, fasta_, order_, regions_ ? &*regions_ : nullptr,
        [this](std::size_t place, std::int64_t begin, std::span<const float> values) {
          writer_->add(place, begin, values);
        },
        [this](std::int64_t bases) { report(bases); });
  }

  EmbedSummary run() {
    plan();
    observer_.on_plan(plan_);
    check_size();
    tell_pass(model_, plan_.longest_window, options_.score != TrackScore::channel, options_.dry_run,
              observer_);
    if (options_.dry_run) return summary_;
    std::vector<genome::Contig> contigs;
    for (const std::int64_t number : order_) contigs.push_back(contig(number));
    writer_ = std::make_unique<io::BigWigWriter>(options_.output, options_.fasta, contigs);
    io::OutputFile json(options_.output + ".json", options_.fasta);
    passes_->run();
    for (const std::int64_t number : passes_->used()) {
      ++summary_.records;
      summary_.bases += contig(number).length;
    }
    summary_.windows = passes_->windows_run();
    summary_.rows = writer_->count();
    writer_->finish();
    json.write(provenance().dump(2) + "\n");
    json.sync();
    json.commit();
    writer_->commit();
    summary_.seconds = seconds();
    return summary_;
  }

 private:
  const genome::Contig& contig(std::int64_t number) const {
    return fasta_.contigs()[static_cast<std::size_t>(number)];
  }

  // A bigWig finds contigs by halving, so they stand in the order of their names.
  void order_contigs() {
    order_.resize(fasta_.contigs().size());
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    std::sort(order_.begin(), order_.end(),
              [this](std::int64_t a, std::int64_t b) { return contig(a).name < contig(b).name; });
  }

  void read_regions() {
    if (options_.bed.empty()) return;
    const std::vector<io::BedRegion> lines = io::read_bed(options_.bed);
    const io::BedSource check(options_.bed, lines, fasta_, true);
    std::vector<genome::Region> regions;
    regions.reserve(lines.size());
    for (const io::BedRegion& line : lines) regions.push_back({line.contig, line.begin, line.end});
    regions_.emplace(regions);
  }

  void plan() {
    plan_.input_kind = "FASTA";
    const TrackSize size = passes_->size();
    plan_.records = size.contigs;
    plan_.bases = size.bases;
    plan_.windows = size.windows;
    plan_.longest_window = size.longest_window;
    std::int64_t values = 0;
    if (regions_) {
      for (const genome::Region& region : regions_->regions()) values += region.end - region.begin;
    } else {
      values = plan_.bases;
    }
    plan_.output_type = "bigWig";
    plan_.shape = {values};
    plan_.output_bytes = values * value_bytes;
    plan_.files = {options_.output, options_.output + ".json"};
  }

  void check_size() const {
    if (options_.yes || options_.max_output_bytes <= 0) return;
    if (plan_.output_bytes <= options_.max_output_bytes) return;
    throw InvalidArgument(fmt::format(
        "the output would hold about {} bytes and more than the {} of --max-output: give --bed, "
        "raise it, or give --yes",
        plan_.output_bytes, options_.max_output_bytes));
  }

  nlohmann::ordered_json provenance() {
    nlohmann::ordered_json json =
        provenance_of_model(model_, options_.write_version, options_.command_line);
    json["input"] = {{"kind", "FASTA"}, {"name", file_name(options_.fasta)}};
    json["input"]["contigs"] = provenance_of_contigs(fasta_, passes_->used());
    if (regions_) json["input"]["regions"] = file_name(options_.bed);
    json["track"] = {{"score", track_score_name(options_)}};
    json["track"].update(provenance_of_settings(settings_));
    for (const char* key : {"pool", "per_window", "skip_n"}) json["track"].erase(key);
    if (options_.score != TrackScore::channel) {
      json["track"].erase("layers");
      if (settings_.model_has_both_strands) json["track"]["strand"] = "both";
    }
    json["output"] = {
        {"name", file_name(options_.output)}, {"type", "bigWig"}, {"values", summary_.rows}};
    return json;
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report(std::int64_t bases) {
    observer_.on_progress(
        {static_cast<std::int64_t>(passes_->used().size()), bases, plan_.bases, seconds()});
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Model& model_;
  const TrackOptions& options_;
  EmbedObserver& observer_;
  ResolvedEmbed settings_;
  io::Fasta fasta_;
  std::vector<std::int64_t> order_;  // of contigs, by name
  std::optional<io::RegionSet> regions_;
  std::unique_ptr<io::BigWigWriter> writer_;
  std::optional<TrackPasses> passes_;
  EmbedPlan plan_;
  EmbedSummary summary_;
};

}  // namespace
}  // namespace tasks

EmbedSummary write_track(const Model& model, const TrackOptions& options, EmbedObserver& observer) {
  return tasks::TrackRun(model, options, observer).run();
}

}  // namespace ssmgen
