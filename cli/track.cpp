#include <fmt/format.h>
#include <iostream>
#include <ssmgen/embed.hpp>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/model_commands.hpp"
#include "cli/progress.hpp"

namespace ssmgen::cli {

const char* const track_summary = "a score for every base of a genome, as bigWig";

namespace {

const CommandHelp help{
    "ssmgen track - a score for every base of a genome, as bigWig",
    "ssmgen track --model DIR -o OUT.bw [OPTIONS] GENOME.fa",
    "Every A, C, G and T of the genome gets a value. Natural logarithms; p is over A, C, G and T\n"
    "and the base itself is not hidden from the model. Of a causal model the prediction of a base\n"
    "is the one made by the bases before it, so the first base of a contig has none.\n"
    "OUT.bw.json says where the numbers come from.\n",
    "  ssmgen track --model models/ecoli-caduceus-ps -o logp.bw ecoli.fa\n"
    "  ssmgen track --model DIR --score entropy --bed exons.bed -o exons.bw hg38.fa\n"
    "  ssmgen track --model DIR --score channel:17 --layer 4 --whole -o c17.bw phage.fa\n"};

po::options_description track_options() {
  const auto text = [] { return po::value<std::string>(); };
  const auto number = [] { return po::value<std::int64_t>(); };
  po::options_description what("What to compute");
  what.add_options()                                                                     //
      ("model", text()->required(), "directory with config.json and model.safetensors")  //
      ("score", text()->default_value("logp"),
       "logp: log p of the base that is there; entropy: of p, in nats; channel:N: channel N, from "
       "0, of a hidden state")                                                                  //
      ("layer", text()->default_value("last"), "for channel:N: last or N, as in ssmgen embed")  //
      ("strand", text()->default_value("auto"),
       "plus, minus or mean. Predictions of a reverse-complement equivariant model are made of "
       "both (auto: mean for its channels and for causal models, else plus)")  //
      ("window", number()->default_value(0),
       "contigs longer than this are read in windows of it, each base taken from the window in "
       "which it lies farthest from a cut (default: the model's maximum up to 8192, else 8192)")  //
      ("stride", number()->default_value(0),
       "bases from one window to the next (default: half a window)")                       //
      ("whole", po::bool_switch(), "no windows: each contig in its whole, exact context")  //
      ("bed", text()->default_value(""),
       "write the values of these regions alone; they are the same numbers");
  po::options_description out("Output");
  out.add_options()                                        //
      ("output,o", text()->required(), "bigWig to write")  //
      ("max-output", text()->default_value("10G"),
       "refuse to write more than this without --yes")         //
      ("yes", po::bool_switch(), "write as much as it takes")  //
      ("dry-run", po::bool_switch(),
       "say what would be read and written and what it takes, and do nothing")                //
      ("no-version", po::bool_switch(), "leave version and command line out of OUT.bw.json")  //
      ("quiet,q", po::bool_switch(), "no plan, no progress and no summary");
  po::options_description all;
  all.add(what).add(out);
  all.add(pass_options());
  return all;
}

TrackOptions parse_track_options(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  const auto number = [&](const char* name) { return values[name].as<std::int64_t>(); };
  const auto flag = [&](const char* name) { return values[name].as<bool>(); };
  TrackOptions options;
  if (values.count("genome") == 0) {
    throw InvalidArgument("no genome: give a FASTA file, plain or bgzip");
  }
  options.fasta = only_file(values, "genome", "genome", "read");
  options.output = text("output");
  options.bed = text("bed");
  parse_track_score(text("score"), options);
  options.settings.layer = text("layer");
  options.settings.strand = parse_embed_strand(text("strand"));
  options.settings.window_bases = number("window");
  options.settings.stride_bases = number("stride");
  options.settings.whole = flag("whole");
  options.settings.batch_windows = number("batch");
  options.settings.scratch = text("scratch");
  options.max_output_bytes = parse_bytes(text("max-output"), "--max-output");
  options.yes = flag("yes");
  options.dry_run = flag("dry-run");
  options.write_version = !flag("no-version");
  return options;
}

}  // namespace

int run_track(const std::vector<std::string>& arguments) {
  const ParsedCommand parsed = parse_command(arguments, help, track_options(), "genome");
  if (parsed.wants_help) return exit_ok;
  TrackOptions options = parse_track_options(parsed.values);
  options.command_line = shell_line("track", arguments);
  const bool is_quiet = parsed.values["quiet"].as<bool>();
  ProgressLine progress(is_quiet);
  const Model model = load_model(parsed.values, progress);
  const EmbedSummary summary = write_track(model, options, progress);
  progress.clear();
  if (is_quiet || options.dry_run) return exit_ok;
  std::cerr << fmt::format("ssmgen: {} contigs, {} bases have a value\n",
                           with_commas(summary.records), with_commas(summary.rows));
  print_windows(summary.windows, summary.seconds);
  return exit_ok;
}

}  // namespace ssmgen::cli
