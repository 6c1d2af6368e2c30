#include <fmt/format.h>
#include <iostream>
#include <ssmgen/score.hpp>
#include <sstream>
#include <unistd.h>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/model_commands.hpp"
#include "cli/progress.hpp"

namespace ssmgen::cli {

const char* const score_summary = "score the variants of a VCF or BCF file";

namespace {

const CommandHelp help{
    "ssmgen score - score the variants of a VCF or BCF file",
    "ssmgen score --model DIR --fasta FILE [OPTIONS] [IN.vcf|IN.vcf.gz|IN.bcf|-]",
    "Every record comes out once, in order, with INFO fields SSM_MASKED, SSM_UNMASKED or\n"
    "SSM_CAUSAL (one value an ALT; '.' where there is none, with the reason in SSM_REASON).\n"
    "A score is log p(ALT) - log p(REF): below 0 where the model finds ALT less likely.\n",
    "  ssmgen score --model models/ecoli-caduceus-ps --fasta ecoli.fa -o scored.vcf.gz in.vcf.gz\n"
    "  ssmgen score --model DIR --fasta hg38.fa -r chr17:43044295-43170245 -Ob in.vcf.gz > "
    "out.bcf\n"
    "  bcftools view -v snps in.bcf | ssmgen score --model DIR --fasta hg38.fa \\\n"
    "      --score masked,unmasked --window 512 --edge pad -W -o out.vcf.gz -\n"};

po::options_description score_options() {
  const auto text = [] { return po::value<std::string>(); };
  const auto number = [] { return po::value<std::int64_t>(); };
  po::options_description what("What to score");
  what.add_options()                                                                     //
      ("model", text()->required(), "directory with config.json and model.safetensors")  //
      ("fasta", text()->required(), "reference genome, plain or bgzip")                  //
      ("score", text()->default_value(""),
       "modes, separated by commas: masked, unmasked, causal (default: masked; causal for causal "
       "models)")  //
      ("window", number()->default_value(0),
       "bases the model sees around a site (default: the model's maximum up to 8192, else 512)")  //
      ("edge", text()->default_value("shift"),
       "at a contig's ends: shift the window, or pad it with N")  //
      ("strand", text()->default_value("auto"),
       "auto, plus, minus or mean, for models that are not reverse-complement equivariant (auto: "
       "mean for causal models, else plus)")  //
      ("check-ref", text()->default_value("warn"),
       "REF that is not in the FASTA: warn, skip (count only) or error; never scored");
  po::options_description in("Input");
  in.add_options()                                                                                //
      ("regions,r", text()->default_value(""), "chr, chr:pos, chr:beg-end, ...; needs an index")  //
      ("regions-file,R", text()->default_value(""), "regions of a BED or tab-separated file")     //
      ("regions-overlap", text()->default_value("1"),
       "a record is in a region by 0: POS, 1: any base of REF, 2: a base that changes")          //
      ("targets,t", text()->default_value(""), "as -r, streaming; ^ before the first excludes")  //
      ("targets-file,T", text()->default_value(""), "as -R, streaming; ^ before it excludes")    //
      ("targets-overlap", text()->default_value("0"), "as --regions-overlap");
  po::options_description out("Output");
  out.add_options()                                                                     //
      ("output,o", text()->default_value("-"), "file to write; - for standard output")  //
      ("output-type,O", text()->default_value(""),
       "v: VCF, z: compressed VCF, b: BCF, u: uncompressed BCF, with a level z0-z9 (default: by "
       "the name of the output)")  //
      ("write-index,W", text()->default_value(""),
       "index the output: csi or tbi")                                            //
      ("tag-prefix", text()->default_value("SSM"), "beginning of the INFO keys")  //
      ("overwrite", po::bool_switch(), "replace INFO fields of the same names")   //
      ("dry-run", po::bool_switch(),
       "check the options, say what a window takes of the machine, and do nothing")          //
      ("no-version", po::bool_switch(), "leave version and command line out of the header")  //
      ("quiet,q", po::bool_switch(), "no progress and no summary");
  po::options_description all;
  all.add(what).add(in).add(out);
  all.add(pass_options());
  return all;
}

std::vector<ScoreMode> parse_modes(const std::string& text) {
  std::vector<ScoreMode> modes;
  std::istringstream stream(text);
  for (std::string name; std::getline(stream, name, ',');) modes.push_back(parse_score_mode(name));
  return modes;
}

// -W, -Wtbi, -W=tbi and --write-index[=tbi] as bcftools takes them: an index's kind is never the
// next argument, which Boost would make it.
std::vector<std::string> with_index_kind(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument == "-W" || argument == "--write-index") {
      argument = "--write-index=csi";
    } else if (argument.starts_with("-W")) {
      argument = "--write-index=" + argument.substr(argument.starts_with("-W=") ? 3 : 2);
    }
  }
  return arguments;
}

ScoreOptions parse_score_options(const po::variables_map& values) {
  const auto text = [&](const char* name) { return values[name].as<std::string>(); };
  ScoreOptions options;
  if (values.count("input") > 0) {
    options.input = only_file(values, "input", "input file", "scored");
  }
  options.fasta = text("fasta");
  options.output = text("output");
  options.output_type = text("output-type");
  options.write_index = text("write-index");
  options.modes = parse_modes(text("score"));
  options.window_bases = values["window"].as<std::int64_t>();
  options.edge = parse_window_edge(text("edge"));
  options.strand = parse_strand_choice(text("strand"));
  options.check_ref = parse_check_ref(text("check-ref"));
  options.tag_prefix = text("tag-prefix");
  options.overwrite = values["overwrite"].as<bool>();
  options.write_version = !values["no-version"].as<bool>();
  options.regions = text("regions");
  options.regions_file = text("regions-file");
  options.targets = text("targets");
  options.targets_file = text("targets-file");
  options.regions_overlap = text("regions-overlap");
  options.targets_overlap = text("targets-overlap");
  options.batch_windows = values["batch"].as<std::int64_t>();
  options.dry_run = values["dry-run"].as<bool>();
  return options;
}

void print_summary(const ScoreSummary& summary) {
  std::cerr << fmt::format("ssmgen: {} records with {} ALT alleles: {} scored, {} not\n",
                           with_commas(summary.records), with_commas(summary.alleles),
                           with_commas(summary.scored_alleles),
                           with_commas(summary.alleles - summary.scored_alleles));
  for (const auto& [reason, count] : summary.unscored_by_reason) {
    std::cerr << fmt::format("ssmgen:   not scored, {}: {}\n", reason, with_commas(count));
  }
  print_windows(summary.windows, summary.seconds);
}

}  // namespace

int run_score(const std::vector<std::string>& arguments) {
  const ParsedCommand parsed =
      parse_command(with_index_kind(arguments), help, score_options(), "input");
  if (parsed.wants_help) return exit_ok;
  ScoreOptions options = parse_score_options(parsed.values);
  options.command_line = shell_line("score", arguments);
  if (options.input == "-" && isatty(STDIN_FILENO) == 1) {
    throw InvalidArgument("no input: give a VCF or BCF file, or - and pipe one in");
  }
  ProgressLine progress(parsed.values["quiet"].as<bool>());
  const Model model = load_model(parsed.values, progress);
  options.io_threads = model.threads();
  const ScoreSummary summary = score_vcf(model, options, progress);
  progress.clear();
  if (!parsed.values["quiet"].as<bool>() && !options.dry_run) print_summary(summary);
  return exit_ok;
}

}  // namespace ssmgen::cli
