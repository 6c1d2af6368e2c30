#pragma once
// Hidden states of sequences, per base or pooled, and one value a base: in memory, or from file to
// file.

#include <cstdint>
#include <functional>
#include <span>
#include <ssmgen/genome.hpp>
#include <ssmgen/model.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ssmgen {

/// How the rows of a record's bases become one row.
enum class EmbedPool : std::uint8_t {
  none,    ///< they do not: one row a base
  mean,    ///< their mean
  max,     ///< the largest value of each channel
  center,  ///< the mean over the bases in the middle
};

struct EmbedPooling {
  EmbedPool pool = EmbedPool::none;
  std::int64_t center_bases = 0;  ///< of `center`: so many, or all of a shorter record
};

/// "none", "mean", "max" or "center:K". @throws InvalidArgument.
EmbedPooling parse_embed_pooling(std::string_view text);
/// The text parse_embed_pooling() reads back.
std::string embed_pooling_name(const EmbedPooling& pooling);

/// Which strand's hidden states are taken; row i is that of base i of the record in each, and of a
/// reverse-complement equivariant model the channels of the minus strand are put into the order of
/// the plus strand's, so that plus and minus of a sequence are minus and plus of its complement.
enum class EmbedStrand : std::uint8_t {
  automatic,  ///< mean for reverse-complement equivariant models, else plus
  plus,       ///< the record as it is given
  minus,      ///< its reverse complement
  mean,       ///< the mean of both
  concat,     ///< plus, then minus: twice the channels
};
EmbedStrand parse_embed_strand(std::string_view text);
std::string_view embed_strand_name(EmbedStrand strand);

/// What to compute of each sequence.
struct EmbedSettings {
  /// "last": after the final norm. A number N: hidden_states[N] of the reference implementation,
  /// that is what enters block N, of Mamba without the residual and of S4 with it; 0 is the
  /// embedding of the bases, and the number of blocks is "last". "all": 0 to "last", in this order.
  std::string layer = "last";
  EmbedPooling pooling;
  EmbedStrand strand = EmbedStrand::automatic;
  /// Records longer than this are read in windows of it, each base's row taken from the window in
  /// which it lies farthest from a cut; 0: the model's maximum up to 8192, else 8192.
  std::int64_t window_bases = 0;
  std::int64_t stride_bases = 0;   ///< from one window to the next; 0: half a window
  bool whole = false;              ///< no windows: every record in its whole context
  bool per_window = false;         ///< pool each window by itself: one row a window
  bool skip_n = false;             ///< leave bases other than A, C, G and T out of pooling
  std::int64_t batch_windows = 0;  ///< windows a pass of the model; 0 chooses. Changes no bit
  /// Folder for rows that do not fit into memory; empty for the system's temporary folder. The
  /// files in it have no name, so nothing is left of them however the process ends.
  std::string scratch;
};

/// Rows of several sequences, f32, dense.
struct EmbedArray {
  std::int64_t layers = 0;
  std::int64_t rows = 0;      ///< of all sequences
  std::int64_t channels = 0;  ///< d_model, or twice as many for EmbedStrand::concat
  std::vector<float> values;  ///< (layers, rows, channels)
  /// Where each sequence's rows begin, and `rows` at the end: one more than there are sequences.
  std::vector<std::int64_t> first_rows;
};

struct EmbedProgress {
  std::int64_t records = 0;  ///< read
  std::int64_t bases = 0;    ///< passed through the model, or left out of it
  std::int64_t bases_total = -1;
  double seconds = 0;
};

/// Told how far a call has come, from the calling thread. What it throws ends the call: between two
/// passes of the model, which take under a second unless one window takes longer.
using EmbedProgressCallback = std::function<void(const EmbedProgress&)>;

/// Hidden states of DNA sequences, any case. A pooled sequence without a base to pool gives NaN.
/// Results do not depend on the batch, the threads, the chunk or the other sequences.
/// @throws InvalidArgument for settings that do not fit together or the model, DeviceError when
///   memory is short.
EmbedArray embed_sequences(const Model& model, std::span<const std::string> sequences,
                           const EmbedSettings& settings = {},
                           const EmbedProgressCallback& on_progress = nullptr);

/// Which bases of a reverse-strand read come first.
enum class ReadOrientation : std::uint8_t {
  reference,  ///< as the file stores them: along the reference
  sequenced,  ///< as the machine read them
};
ReadOrientation parse_read_orientation(std::string_view text);

/// Where the sequences come from and where the rows go; names and words are those of the command
/// line.
struct EmbedOptions {
  EmbedSettings settings;
  /// FASTA (plain, gzip or bgzip), SAM, BAM or CRAM; "-" for standard input. Empty with `bed`.
  std::string input;
  std::string fasta;    ///< the genome that `bed` or a CRAM refers to
  std::string bed;      ///< regions, each a record; those on the minus strand are complemented
  std::string regions;  ///< -r of samtools; needs an index
  std::string require_flags;  ///< -f
  std::string exclude_flags;  ///< -F
  std::int64_t min_mapq = 0;  ///< -q
  ReadOrientation orientation = ReadOrientation::reference;
  std::string output = "-";           ///< NAME.npy, NAME.zarr or NAME.tsv; "-" for TSV on stdout
  std::string output_type;            ///< npy, zarr or tsv; empty: by suffix
  std::int64_t chunk_rows = 0;        ///< rows a chunk of Zarr; 0 chooses
  std::int64_t max_output_bytes = 0;  ///< 0 for no limit
  bool yes = false;                   ///< write more than that all the same
  bool resume = false;                ///< Zarr: go on from what a stopped run left
  bool dry_run = false;               ///< plan, write nothing
  bool write_version = true;          ///< version and command line into the provenance
  std::string command_line;           ///< for the provenance
  int io_threads = 0;                 ///< that decompress, compress and write; below 2 for none
};

/// What a run is about to do, told before anything is written.
struct EmbedPlan {
  std::string input_kind;     ///< "FASTA", "BED regions", "reads"
  std::int64_t records = -1;  ///< -1 when the input is a stream
  std::int64_t bases = -1;
  std::int64_t windows = -1;         ///< passed through the model at the most
  std::int64_t longest_window = -1;  ///< bases, at the most
  std::string output_type;           ///< npy, zarr, tsv
  std::vector<std::int64_t> shape;   ///< of the array; -1 for rows that are not known
  std::int64_t output_bytes = -1;    ///< of the array, uncompressed
  std::vector<std::string> files;    ///< that will be written
};

/// Told what a run has to say; every call comes from the calling thread.
class EmbedObserver {
 public:
  virtual ~EmbedObserver() = default;
  virtual void on_plan(const EmbedPlan& plan) = 0;
  /// How the longest sequence goes through the model, told after on_plan() where it is cut into
  /// chunks or the run is a dry one.
  virtual void on_pass(const PassPlan& /*pass*/) {}
  virtual void on_progress(const EmbedProgress& progress) = 0;
  virtual void on_note(const std::string& text) = 0;
  virtual void on_warning(const std::string& text) = 0;
};

/// What a run did.
struct EmbedSummary {
  std::int64_t records = 0;
  std::int64_t bases = 0;
  std::int64_t rows = 0;
  std::int64_t windows = 0;                 ///< passed through the model
  std::int64_t empty_records = 0;           ///< pooled over no base: their rows are NaN
  std::int64_t reads_without_sequence = 0;  ///< left out
  double seconds = 0;
};

/// Embeds the records of a file, in order. Beside `output` stand `<output>.tsv` with a line a
/// record and `<output>.json` with where the numbers come from. Everything is complete under its
/// own name when this returns; `.part` files may remain of a run that failed.
/// @throws InvalidArgument for options that do not fit together, the model or `max_output_bytes`,
///   FormatError naming file and record, DeviceError for a failing device or disk.
EmbedSummary embed_files(const Model& model, const EmbedOptions& options, EmbedObserver& observer);

/// The reads of a file, in its order, and a row for each.
struct ReadEmbeddings {
  std::int64_t channels = 0;
  std::vector<float> values;               ///< (reads, channels)
  std::vector<std::string> names;          ///< of the reads
  std::vector<std::string> contigs;        ///< empty for a read without a place
  std::vector<std::int64_t> begins;        ///< of the alignment, 0-based; -1 without a place
  std::vector<std::int64_t> ends;          ///< half-open
  std::string strands;                     ///< '+' or '-' of the alignment, '.' for unmapped reads
  std::vector<std::int64_t> flags;         ///< as in SAM
  std::vector<std::int64_t> mapqs;         ///< as in SAM
  std::vector<std::string> read_groups;    ///< the tag RG; empty for none
  std::vector<std::int64_t> pooled_bases;  ///< 0: the row is NaN
  EmbedSummary summary;
};

/// Embeds the reads of a SAM, BAM or CRAM file into memory, one row a read: the rows that
/// embed_files() writes. Of the options those of settings and input count, and `max_output_bytes`
/// with `yes` bounds the bytes of `values`. The observer is not told of a plan.
/// @throws InvalidArgument for options that do not fit together, the model or `max_output_bytes`,
///   for what gives more than one row a read and for a file of other sequences; FormatError naming
///   file and read; DeviceError when memory is short.
ReadEmbeddings embed_reads(const Model& model, const EmbedOptions& options,
                           EmbedObserver& observer);

/// What a track tells of each base.
enum class TrackScore : std::uint8_t {
  entropy,  ///< of p over A, C, G, T; nats
  logp,     ///< log p of the base that is there; natural logarithm
  channel,  ///< a channel of a hidden state
};

/// How a track is made; names and words are those of the command line.
struct TrackChoices {
  TrackScore score = TrackScore::logp;
  std::int64_t channel = 0;  ///< of `channel`, from 0
  /// `layer`, `strand` (not concat), `window_bases`, `stride_bases`, `whole`, `batch_windows` and
  /// `scratch` have their meaning; for entropy and logp `automatic` is plus, or mean for causal
  /// models, where the prediction of a base is that made by the bases before it.
  EmbedSettings settings;
};

/// "entropy", "logp" or "channel:N" into `score` and `channel`. @throws InvalidArgument.
void parse_track_score(std::string_view text, TrackChoices& choices);
std::string track_score_name(const TrackChoices& choices);

/// Values of the bases of several regions, one after the other.
struct BaseScores {
  std::vector<float> values;  ///< NaN for bases other than A, C, G and T
  /// Where each region's values begin, and their number at the end: one more than regions.
  std::vector<std::int64_t> first_values;
};

/// One value for each base of regions of a genome, which may overlap, in the order of the contig
/// whatever the regions' strand: the numbers of write_track(), whose windows lie on the contig and
/// not on the region.
/// @throws InvalidArgument for choices that do not fit together or the model and for a region that
///   does not lie on the genome, naming it by its number from 1; DeviceError when memory is short.
BaseScores score_bases(const Model& model, Genome& genome, std::span<const GenomeRegion> regions,
                       const TrackChoices& choices = {},
                       const EmbedProgressCallback& on_progress = nullptr);

/// What to make a track of as well, and where it goes.
struct TrackOptions : TrackChoices {
  std::string fasta;   ///< plain or bgzip
  std::string output;  ///< NAME.bw
  std::string bed;     ///< write values of these regions only; they are the same numbers
  bool dry_run = false;
  bool write_version = true;
  std::string command_line;
  std::int64_t max_output_bytes = 0;
  bool yes = false;
};

/// Writes a bigWig of one value a base; bases other than A, C, G and T have none. `<output>.json`
/// says where the numbers come from.
/// @throws as embed_files.
EmbedSummary write_track(const Model& model, const TrackOptions& options, EmbedObserver& observer);

}  // namespace ssmgen
