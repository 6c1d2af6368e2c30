#pragma once
// Scores for variants: in memory, or of a VCF or BCF file.

#include <cstdint>
#include <map>
#include <span>
#include <ssmgen/genome.hpp>
#include <ssmgen/model.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ssmgen {

/// What a score is; p is the softmax over A, C, G, T alone, natural logarithms, f32.
enum class ScoreMode : std::uint8_t {
  masked,    ///< sum over REF's positions of log p(ALT base) - log p(REF base), REF masked
  unmasked,  ///< the same with REF left in the window
  causal,    ///< sum of log p(base | bases before it), ALT minus REF, for causal models
};

/// "masked", ... @throws InvalidArgument for a mode that is not known or not built yet.
ScoreMode parse_score_mode(std::string_view name);
std::string_view score_mode_name(ScoreMode mode);

/// What happens where the window would run past an end of the contig: it moves, or N fills it.
enum class WindowEdge : std::uint8_t { shift, pad };
WindowEdge parse_window_edge(std::string_view name);

/// Which strand a model that is not reverse-complement equivariant reads.
enum class StrandChoice : std::uint8_t { automatic, plus, minus, mean };
StrandChoice parse_strand_choice(std::string_view name);

/// What is done with a record whose REF is not what the FASTA says. Its alleles stay unscored.
enum class CheckRef : std::uint8_t {
  warn,   ///< the first ones are told one by one
  skip,   ///< they are counted alone
  error,  ///< the run stops
};
CheckRef parse_check_ref(std::string_view name);

/// How to score; names and words are those of the command line.
struct ScoreChoices {
  std::vector<ScoreMode> modes;   ///< empty: masked, or causal for causal models
  std::int64_t window_bases = 0;  ///< 0: the model's maximum up to 8192, else 512
  WindowEdge edge = WindowEdge::shift;
  StrandChoice strand = StrandChoice::automatic;  ///< automatic: mean for causal, else plus
  CheckRef check_ref = CheckRef::warn;
  std::int64_t batch_windows = 0;  ///< windows a pass of the model; 0 chooses. Changes no bit.
};

/// What to score as well, and where the scores go.
struct ScoreOptions : ScoreChoices {
  std::string input = "-";            ///< VCF, BCF, bgzip or gzip; "-" for standard input
  std::string fasta;                  ///< reference genome, plain or bgzip
  std::string output = "-";           ///< "-" for standard output
  std::string output_type;            ///< v, z, b or u with a level 0-9; empty: by suffix
  std::string write_index;            ///< empty for none, csi or tbi
  std::string tag_prefix = "SSM";     ///< of the INFO fields
  bool overwrite = false;             ///< replace INFO fields of the same names
  bool write_version = true;          ///< version and command line into the header
  std::string command_line;           ///< for the header
  std::string regions;                ///< -r of bcftools; needs an index
  std::string regions_file;           ///< -R
  std::string targets;                ///< -t; streams
  std::string targets_file;           ///< -T
  std::string regions_overlap = "1";  ///< 0 pos, 1 record, 2 variant
  std::string targets_overlap = "0";
  int io_threads = 0;    ///< further threads for (de)compression; below 2 for none
  bool dry_run = false;  ///< check the options, tell the plan and write nothing
};

/// How far a run has come.
struct ScoreProgress {
  std::int64_t records_read = 0;
  std::int64_t records_written = 0;  ///< in memory: that have their scores
  std::int64_t bytes_read = 0;       ///< of the input file, compressed
  std::int64_t bytes_total = -1;     ///< -1 when it is a stream
  double seconds = 0;
};

/// Told what a run has to say; every call comes from the calling thread. What it throws ends the
/// run: between two passes of the model, which take under a second unless one window takes longer.
class ScoreObserver {
 public:
  virtual ~ScoreObserver() = default;
  virtual void on_progress(const ScoreProgress& progress) = 0;
  /// How a window goes through the model, told where it is cut into chunks or the run is a dry one.
  virtual void on_pass(const PassPlan& /*pass*/) {}
  virtual void on_note(const std::string& text) = 0;
  virtual void on_warning(const std::string& text) = 0;
};

/// What a run did.
struct ScoreSummary {
  std::int64_t records = 0;         ///< read and written
  std::int64_t alleles = 0;         ///< ALTs of all records
  std::int64_t scored_alleles = 0;  ///< with a value in every mode
  std::map<std::string, std::int64_t> unscored_by_reason;
  std::int64_t ref_mismatches = 0;  ///< records
  std::int64_t windows = 0;         ///< passed through the model
  double seconds = 0;
};

/// A place of a genome and what may stand there in place of REF, as a line of a VCF.
struct Variant {
  std::string contig;
  std::int64_t position = 0;  ///< 0-based, of REF's first base
  std::string ref;
  std::vector<std::string> alts;
};

/// Scores of the ALTs of several variants, in their order.
struct VariantScores {
  std::vector<ScoreMode> modes;
  std::int64_t alleles = 0;          ///< of all variants
  std::vector<float> values;         ///< (modes, alleles); NaN where there is no score
  std::vector<std::string> reasons;  ///< of each allele: a word of <prefix>_REASON; empty for none
  std::int64_t window_bases = 0;     ///< that was chosen
  ScoreSummary summary;
};

/// Scores variants against sequences that the caller holds: the numbers and reasons of score_vcf(),
/// which counts variants from 1 in what it says of them.
/// @throws as score_vcf(); FormatError names the variant.
VariantScores score_variants(const Model& model, std::span<const Variant> variants, Genome& genome,
                             const ScoreChoices& choices, ScoreObserver& observer);

/// Scores a file: the same records in the same order come out, with INFO fields <prefix>_MASKED,
/// <prefix>_UNMASKED, <prefix>_CAUSAL (Number=A) and <prefix>_REASON for alleles without a score.
/// The output is complete under its own name when this returns. Scores do not depend on batch
/// size, threads, chunk size or the order of the records.
/// @throws InvalidArgument for options that do not fit together or the model, FormatError naming
///   file and record, DeviceError for a failing device or disk; `<output>.part` may remain.
ScoreSummary score_vcf(const Model& model, const ScoreOptions& options, ScoreObserver& observer);

}  // namespace ssmgen
