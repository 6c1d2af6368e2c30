#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <ssmgen/bench.hpp>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"

namespace ssmgen::cli {

const char* const bench_summary = "time a model, or the reading and writing of a VCF";

namespace {

using nlohmann::ordered_json;

const CommandHelp help{
    "ssmgen bench - time a model, or the reading and writing of a VCF",
    "ssmgen bench [--model DIR | --shape KIND-dWIDTHxLAYERS | --vcf FILE] [OPTIONS]",
    "Runs random DNA through the model after one pass that warms up, and prints the fastest pass\n"
    "beside the floor: the time its matrix products and the scans' exponentials (Mamba) or\n"
    "multiply-adds (S4: four a base, direction, channel and pair of states) would take at the "
    "rates\n"
    "this machine was just measured to reach.\n"
    "A shape is ps, ph, causal (Caduceus with both strands, one strand, one direction), mamba, "
    "s4d\n"
    "or s4 (diagonal and DPLR, both directions, 64 states), with random weights.\n",
    "  ssmgen bench --shape ps-d256x16 --length 131072\n"
    "  ssmgen bench --model models/ecoli-caduceus-ps --length 512 --windows 64 --dtype bf16 "
    "--json\n"
    "  ssmgen bench --vcf variants.vcf.gz --output /dev/null\n"};

std::string config_of_shape(const std::string& shape) {
  static const std::regex pattern("(ps|ph|causal|mamba|s4d|s4)-d([0-9]{1,5})x([0-9]{1,4})");
  std::smatch match;
  if (!std::regex_match(shape, match, pattern)) {
    throw InvalidArgument(
        fmt::format("shape '{}' is not known: write KIND-dWIDTHxLAYERS, for example ps-d256x16, "
                    "KIND being ps, ph, causal, mamba, s4d or s4",
                    shape));
  }
  const std::string kind = match[1];
  const int width = std::stoi(match[2]);
  const int layers = std::stoi(match[3]);
  if (kind == "mamba") {
    return ordered_json{{"model_type", "mamba_ssm"}, {"d_model", width},
                        {"n_layer", layers},         {"vocab_size", 16},
                        {"rms_norm", true},          {"residual_in_fp32", true},
                        {"fused_add_norm", true},    {"ssm_cfg", ordered_json::object()}}
        .dump();
  }
  if (kind == "s4d" || kind == "s4") {
    return ordered_json{{"model_type", "s4"},
                        {"mode", kind == "s4d" ? "diag" : "dplr"},
                        {"init", kind == "s4d" ? "diag-lin" : "legs"},
                        {"d_model", width},
                        {"n_layer", layers},
                        {"vocab_size", 16},
                        {"bidirectional", true}}
        .dump();
  }
  ordered_json complement;
  for (int id = 0; id < 16; ++id) {
    complement[std::to_string(id)] = id >= 7 && id <= 10 ? 17 - id : id;
  }
  return ordered_json{{"model_type", "caduceus"},
                      {"d_model", width},
                      {"n_layer", layers},
                      {"vocab_size", 16},
                      {"ssm_cfg", ordered_json::object()},
                      {"rms_norm", true},
                      {"residual_in_fp32", false},
                      {"fused_add_norm", true},
                      {"bidirectional", kind != "causal"},
                      {"bidirectional_strategy", "add"},
                      {"bidirectional_weight_tie", true},
                      {"rcps", kind == "ps"},
                      {"complement_map", complement}}
      .dump();
}

BenchRead parse_read(const std::string& name) {
  if (name == "none") return BenchRead::none;
  if (name == "center") return BenchRead::center;
  if (name == "all") return BenchRead::all;
  throw InvalidArgument(fmt::format("read '{}' is not known: choose none, center or all", name));
}

po::options_description bench_options() {
  po::options_description options("What to time");
  options.add_options()                                            //
      ("model", po::value<std::string>(), "checkpoint directory")  //
      ("shape", po::value<std::string>()->default_value("ps-d256x16"),
       "random weights of a shape")                                                     //
      ("length", po::value<std::int64_t>()->default_value(512), "bases of a sequence")  //
      ("windows", po::value<std::int64_t>()->default_value(1), "sequences a pass")      //
      ("read", po::value<std::string>()->default_value("center"),
       "log-probabilities read: none, center (one position a sequence) or all")            //
      ("repeats", po::value<int>()->default_value(3), "timed passes; the fastest counts")  //
      ("no-warm-up", po::bool_switch(), "time the first pass too; for passes of minutes")  //
      ("dry-run", po::bool_switch(),
       "say how a pass would run and what it takes, and do nothing")  //
      ("vcf", po::value<std::string>(),
       "time reading and writing of this file in place of a model")                          //
      ("output", po::value<std::string>()->default_value("/dev/null"), "what --vcf writes")  //
      ("json", po::bool_switch(), "print JSON");
  options.add(device_options());
  return options;
}

int bench_file(const po::variables_map& values, const ModelOptions& where) {
  const VcfBenchResult result =
      bench_vcf(values["vcf"].as<std::string>(), values["output"].as<std::string>(), where.threads);
  if (values["json"].as<bool>()) {
    std::cout << ordered_json{{"records", result.records},
                              {"seconds", result.seconds},
                              {"records_per_second", result.records_per_second}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << fmt::format("{} records in {:.3f} s: {} records/s\n", with_commas(result.records),
                             result.seconds,
                             with_commas(static_cast<std::int64_t>(result.records_per_second)));
  }
  return exit_ok;
}

void print_result(const Model& model, const BenchOptions& options, const PassPlan& pass,
                  const BenchResult& result) {
  std::cout << fmt::format("{}: d_model {}, {} layers{}, {}, {}\n", model.info().name,
                           model.info().d_model, model.info().n_layer,
                           model.info().is_reverse_complement_equivariant ? ", both strands" : "",
                           dtype_name(model.options().dtype), model.device_description());
  const auto line = [](const char* name, const std::string& value) {
    std::cout << fmt::format("  {:<24}{}\n", name, value);
  };
  line("sequences",
       fmt::format("{} of {} bases", with_commas(options.windows), with_commas(options.length)));
  line("plan", pass_text(pass));
  line("seconds", fmt::format("{:.4f} (median {:.4f} of {})", result.seconds, result.median_seconds,
                              options.repeats));
  line("bases/s", with_commas(static_cast<std::int64_t>(result.bases_per_second)));
  line("sequences/s", fmt::format("{:.2f}", result.windows_per_second));
  line("peak memory", readable_bytes(result.peak_memory_bytes));
  if (result.device_peak_bytes > 0) {
    line("peak device memory", readable_bytes(result.device_peak_bytes));
  }
  line("matrix products", fmt::format("{:.2f} GFLOP, at most {:.0f} GFLOP/s here",
                                      result.product_flop / 1e9, result.product_rate / 1e9));
  if (result.multiply_adds > 0) {
    line("multiply-adds", fmt::format("{:.3f} G, at most {:.2f} G/s here",
                                      result.multiply_adds / 1e9, result.multiply_add_rate / 1e9));
  }
  line("exponentials", fmt::format("{:.3f} G, at most {:.2f} G/s here", result.exponentials / 1e9,
                                   result.exponential_rate / 1e9));
  line("floor", fmt::format("{:.4f} s: the fastest pass is {:.2f} times it", result.floor_seconds,
                            result.seconds / result.floor_seconds));
}

ordered_json to_json(const Model& model, const BenchOptions& options, const PassPlan& pass,
                     const BenchResult& result) {
  return {{"model", model.info().name},
          {"d_model", model.info().d_model},
          {"n_layer", model.info().n_layer},
          {"device", model.device_description()},
          {"dtype", dtype_name(model.options().dtype)},
          {"threads", model.threads()},
          {"length", options.length},
          {"windows", options.windows},
          {"mode", pass.mode},
          {"stream_place", pass.stream_place},
          {"chunk", pass.chunk_bases},
          {"seconds", result.seconds},
          {"median_seconds", result.median_seconds},
          {"bases_per_second", result.bases_per_second},
          {"windows_per_second", result.windows_per_second},
          {"peak_memory_bytes", result.peak_memory_bytes},
          {"device_peak_bytes", result.device_peak_bytes},
          {"product_flop", result.product_flop},
          {"exponentials", result.exponentials},
          {"multiply_adds", result.multiply_adds},
          {"product_flop_per_second_at_most", result.product_rate},
          {"exponentials_per_second_at_most", result.exponential_rate},
          {"multiply_adds_per_second_at_most", result.multiply_add_rate},
          {"floor_seconds", result.floor_seconds},
          {"times_floor", result.seconds / result.floor_seconds}};
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
  const ParsedCommand parsed = parse_command(arguments, help, bench_options(), "argument");
  if (parsed.wants_help) return exit_ok;
  const po::variables_map& values = parsed.values;
  if (values.count("argument") > 0) {
    throw InvalidArgument(fmt::format("'{}' stands alone: write --model DIR or --vcf FILE",
                                      values["argument"].as<std::vector<std::string>>().front()));
  }
  const ModelOptions where = model_options(values);
  if (values.count("vcf") > 0) return bench_file(values, where);

  BenchOptions options;
  options.length = values["length"].as<std::int64_t>();
  options.windows = values["windows"].as<std::int64_t>();
  options.repeats = values["repeats"].as<int>();
  options.read = parse_read(values["read"].as<std::string>());
  const Model model =
      values.count("model") > 0
          ? Model::load(values["model"].as<std::string>(), where)
          : Model::random(config_of_shape(values["shape"].as<std::string>()), where);
  options.warms_up = !values["no-warm-up"].as<bool>();
  const auto plan = [&](bool estimates_time) {
    return model.plan(options.length, options.read == BenchRead::all, estimates_time);
  };
  if (values["dry-run"].as<bool>()) {
    std::cout << pass_text(plan(true)) << "\n";
    return exit_ok;
  }
  const BenchResult result = bench_model(model, options);
  const PassPlan pass = plan(false);
  if (values["json"].as<bool>()) {
    std::cout << to_json(model, options, pass, result).dump(2) << "\n";
  } else {
    print_result(model, options, pass, result);
  }
  return exit_ok;
}

}  // namespace ssmgen::cli
