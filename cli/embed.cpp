#include <fmt/format.h>
#include <iostream>
#include <ssmgen/embed.hpp>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/model_commands.hpp"
#include "cli/progress.hpp"

namespace ssmgen::cli {

const char* const embed_summary = "hidden states of sequences, per base or pooled";

namespace {

const CommandHelp help{
    "ssmgen embed - hidden states of sequences, per base or pooled",
    "ssmgen embed --model DIR -o OUT.npy|OUT.zarr|OUT.tsv [OPTIONS] [IN.fa|IN.bam|IN.cram|-]\n"
    "       ssmgen embed --model DIR --fasta FILE --bed FILE -o OUT [OPTIONS]",
    "Each record of a FASTA, region of a BED or read of a SAM, BAM or CRAM gives one row a base,\n"
    "or with --pool one row, in the order of the input. OUT holds f32, (rows, channels), or\n"
    "(layers, rows, channels) for --layer all. OUT.tsv beside it says which rows belong to which\n"
    "record (begin and end 0-based, half-open), OUT.json where the numbers come from.\n",
    "  ssmgen embed --model models/ecoli-caduceus-ps --pool mean -o genes.npy genes.fa.gz\n"
    "  ssmgen embed --model DIR --fasta hg38.fa --bed promoters.bed --pool center:64 -o p.tsv\n"
    "  ssmgen embed --model DIR --layer all --whole -o contigs.zarr contigs.fa\n"
    "  ssmgen embed --model DIR -F 0x904 -q 20 -r chr20:1000-2000 --pool mean -o reads.npy "
    "in.bam\n"};

po::options_description embed_options() {
  const auto text = [] { return po::value<std::string>(); };
  const auto number = [] { return po::value<std::int64_t>(); };
  po::options_description what("What to compute");
  what.add_options()                                                                     //
      ("model", text()->required(), "directory with config.json and model.safetensors")  //
      ("layer", text()->default_value("last"),
       "last: after the final norm. N: hidden_states[N] of the reference implementation, which is "
       "what enters block N, of Mamba and Caduceus without the residual stream, of S4 with it; 0 "
       "is the embedding of the bases, and the number of blocks is last. all: 0 to last")  //
      ("pool", text()->default_value("none"),
       "none: a row a base; mean or max: a row a record; center:K: the mean over the K bases in "
       "its middle. Means are summed in f64")  //
      ("strand", text()->default_value("auto"),
       "plus: the record as given; minus: its reverse complement; mean of both; concat: plus, then "
       "minus, twice the channels. Row i is base i of the record in each. Of a reverse-complement "
       "equivariant model (Caduceus-PS) the minus half's channels are turned into the order of the "
       "plus half's (auto: mean for such models, else plus)")  //
      ("window", number()->default_value(0),
       "records longer than this are read in windows of it, each base taken from the window in "
       "which it lies farthest from a cut (default: the model's maximum up to 8192, else 8192)")  //
      ("stride", number()->default_value(0),
       "bases from one window to the next (default: half a window)")                       //
      ("whole", po::bool_switch(), "no windows: each record in its whole, exact context")  //
      ("per-window", po::bool_switch(), "pool each window by itself: a row a window")      //
      ("skip-n", po::bool_switch(),
       "leave bases other than A, C, G and T out of pooling; windows without others are not run");
  po::options_description in("Input");
  in.add_options()                                                                             //
      ("fasta", text()->default_value(""), "genome of --bed or of a CRAM, plain or bgzip")     //
      ("bed", text()->default_value(""), "regions, each a record; strand and names are kept")  //
      ("regions,r", text()->default_value(""),
       "reads that overlap chr, chr:pos, chr:beg-end, ...; needs an index")  //
      ("require-flags,f", text()->default_value(""),
       "reads with all of these flags, as samtools")                                      //
      ("exclude-flags,F", text()->default_value(""), "reads with none of these flags")    //
      ("min-MQ,q", number()->default_value(0), "reads of at least this mapping quality")  //
      ("read-orientation", text()->default_value("reference"),
       "reference: reads as the file stores them, along the reference; sequenced: those of the "
       "reverse strand as the machine read them");
  po::options_description out("Output");
  out.add_options()                                                                            //
      ("output,o", text()->default_value("-"), "what to write; - for TSV on standard output")  //
      ("output-type,O", text()->default_value(""), "npy, zarr or tsv (default: by the name)")  //
      ("max-output", text()->default_value("10G"),
       "refuse to write more than this without --yes")                                           //
      ("yes", po::bool_switch(), "write as much as it takes")                                    //
      ("chunk-rows", number()->default_value(0), "rows a chunk of Zarr (default: about 1 MiB)")  //
      ("resume", po::bool_switch(), "Zarr: go on from what a stopped run left; the same bytes")  //
      ("dry-run", po::bool_switch(),
       "say what would be read and written and what it takes, and do nothing")             //
      ("no-version", po::bool_switch(), "leave version and command line out of OUT.json")  //
      ("quiet", po::bool_switch(), "no plan, no progress and no summary");
  po::options_description all;
  all.add(what).add(in).add(out);
  all.add(pass_options());
  return all;
}

EmbedOptions parse_embed_options(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  const auto number = [&](const char* name) { return values[name].as<std::int64_t>(); };
  const auto flag = [&](const char* name) { return values[name].as<bool>(); };
  EmbedOptions options;
  if (values.count("input") > 0) {
    options.input = only_file(values, "input", "input file", "embedded");
  }
  options.settings.layer = text("layer");
  options.settings.pooling = parse_embed_pooling(text("pool"));
  options.settings.strand = parse_embed_strand(text("strand"));
  options.settings.window_bases = number("window");
  options.settings.stride_bases = number("stride");
  options.settings.whole = flag("whole");
  options.settings.per_window = flag("per-window");
  options.settings.skip_n = flag("skip-n");
  options.settings.batch_windows = number("batch");
  options.settings.scratch = text("scratch");
  options.fasta = text("fasta");
  options.bed = text("bed");
  options.regions = text("regions");
  options.require_flags = text("require-flags");
  options.exclude_flags = text("exclude-flags");
  options.min_mapq = number("min-MQ");
  options.orientation = parse_read_orientation(text("read-orientation"));
  options.output = text("output");
  options.output_type = text("output-type");
  options.max_output_bytes = parse_bytes(text("max-output"), "--max-output");
  options.yes = flag("yes");
  options.chunk_rows = number("chunk-rows");
  options.resume = flag("resume");
  options.dry_run = flag("dry-run");
  options.write_version = !flag("no-version");
  return options;
}

void print_summary(const EmbedSummary& summary) {
  std::cerr << fmt::format("ssmgen: {} records of {} bases gave {} rows\n",
                           with_commas(summary.records), with_commas(summary.bases),
                           with_commas(summary.rows));
  if (summary.empty_records > 0) {
    std::cerr << fmt::format("ssmgen:   without a base to pool, their rows are NaN: {}\n",
                             with_commas(summary.empty_records));
  }
  if (summary.reads_without_sequence > 0) {
    std::cerr << fmt::format("ssmgen:   reads without a sequence, left out: {}\n",
                             with_commas(summary.reads_without_sequence));
  }
  print_windows(summary.windows, summary.seconds);
}

}  // namespace

int run_embed(const std::vector<std::string>& arguments) {
  const ParsedCommand parsed = parse_command(arguments, help, embed_options(), "input");
  if (parsed.wants_help) return exit_ok;
  EmbedOptions options = parse_embed_options(parsed.values);
  // The same for a run that was gone on with.
  std::vector<std::string> told = arguments;
  std::erase(told, "--resume");
  options.command_line = shell_line("embed", told);
  if (options.input == "-" && isatty(STDIN_FILENO) == 1) {
    throw InvalidArgument("no input: give a file, or - and pipe one in");
  }
  const bool is_quiet = parsed.values["quiet"].as<bool>();
  ProgressLine progress(is_quiet);
  const Model model = load_model(parsed.values, progress);
  options.io_threads = model.threads();
  const EmbedSummary summary = embed_files(model, options, progress);
  progress.clear();
  if (!is_quiet && !options.dry_run) print_summary(summary);
  return exit_ok;
}

}  // namespace ssmgen::cli
