#include "tasks/embed_input.hpp"

#include <algorithm>
#include <filesystem>
#include <ssmgen/errors.hpp>

#include "tasks/provenance.hpp"

namespace ssmgen::tasks {

EmbedInput::EmbedInput(const EmbedOptions& options, const io::HtsThreads& threads,
                       EmbedObserver& observer)
    : options_(options), threads_(threads), observer_(observer) {
  if (!options.bed.empty()) {
    if (!options.input.empty()) {
      throw InvalidArgument(
          "--bed takes its sequences from --fasta: give no other input (or leave --bed out)");
    }
    if (!options.regions.empty() || !options.require_flags.empty() ||
        !options.exclude_flags.empty() || options.min_mapq != 0) {
      throw InvalidArgument("-r, -f, -F and -q choose reads: leave them out with --bed");
    }
    if (options.fasta.empty()) throw InvalidArgument("--bed needs the genome: give --fasta");
    genome_.emplace(options.fasta, [&](const std::string& text) { observer_.on_warning(text); });
    regions_ = io::read_bed(options.bed);
    // Regions that lie nowhere are told before anything else is done.
    static_cast<void>(open(true));
    return;
  }
  if (options.input.empty()) {
    throw InvalidArgument(
        "no input: give a FASTA, SAM, BAM or CRAM file, -, or --bed with --fasta");
  }
  std::error_code ignored;
  is_stream_ = options.input == "-" || (std::filesystem::exists(options.input, ignored) &&
                                        !std::filesystem::is_regular_file(options.input, ignored) &&
                                        !std::filesystem::is_directory(options.input, ignored));
  io::SequenceFile file = open_file(false);
  holds_reads_ = file.holds_reads;
  if (is_stream_) stream_ = std::move(file.source);
}

std::string EmbedInput::kind() const {
  if (genome_) return "BED regions";
  return holds_reads_ ? "reads" : "FASTA";
}

const std::string& EmbedInput::path() const {
  return genome_ ? options_.bed : options_.input;
}

io::SequenceFile EmbedInput::open_file(bool lengths_only) const {
  io::SequenceFileOptions file;
  file.path = options_.input;
  file.lengths_only = lengths_only;
  file.threads = &threads_;
  file.cram_fasta = options_.fasta;
  file.regions = options_.regions;
  file.require_flags = options_.require_flags;
  file.exclude_flags = options_.exclude_flags;
  file.min_mapq = options_.min_mapq;
  file.as_sequenced = options_.orientation == ReadOrientation::sequenced;
  return io::open_sequence_file(file);
}

std::unique_ptr<io::SequenceSource> EmbedInput::open(bool lengths_only) {
  if (genome_) {
    return std::make_unique<io::BedSource>(options_.bed, regions_, *genome_, lengths_only);
  }
  if (is_stream_) return std::move(stream_);
  return open_file(lengths_only).source;
}

nlohmann::ordered_json EmbedInput::describe() {
  nlohmann::ordered_json json;
  json["kind"] = kind();
  json["name"] = file_name(path());
  if (holds_reads_) {
    if (!options_.regions.empty()) json["regions"] = options_.regions;
    if (!options_.require_flags.empty()) json["require_flags"] = options_.require_flags;
    if (!options_.exclude_flags.empty()) json["exclude_flags"] = options_.exclude_flags;
    json["min_mapq"] = options_.min_mapq;
    json["orientation"] =
        options_.orientation == ReadOrientation::sequenced ? "sequenced" : "reference";
  }
  if (genome_) {
    std::vector<std::int64_t> used;
    for (const io::BedRegion& region : regions_) used.push_back(genome_->find(region.contig));
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    json["genome"] = file_name(options_.fasta);
    json["contigs"] = provenance_of_contigs(*genome_, used);
  }
  return json;
}

}  // namespace ssmgen::tasks
