#include "cli/common_options.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <iostream>
#include <string_view>

namespace ssmgen::cli {

ParsedCommand parse_command(const std::vector<std::string>& arguments, const CommandHelp& help,
                            const po::options_description& visible, const std::string& positional) {
  po::options_description all;
  all.add(visible);
  po::options_description hidden;
  hidden.add_options()("help,h", "")(positional.c_str(), po::value<std::vector<std::string>>());
  all.add(hidden);
  po::positional_options_description positions;
  positions.add(positional.c_str(), -1);
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

  ParsedCommand parsed;
  try {
    // A lone "-" is standard input, which the parser would take for a broken option.
    po::store(
        po::command_line_parser(arguments).options(all).positional(positions).style(style).run(),
        parsed.values);
    if (parsed.values.count("help") > 0) {
      std::cout << help.summary << "\n\nUsage: " << help.usage << "\n\n"
                << help.details << "\n"
                << visible << "\nExamples:\n"
                << help.examples;
      parsed.wants_help = true;
      return parsed;
    }
    po::notify(parsed.values);
  } catch (const po::error& error) {
    throw InvalidArgument(fmt::format("{}\nUsage: {}", error.what(), help.usage));
  }
  return parsed;
}

po::options_description device_options() {
  po::options_description options("Where and how to compute");
  options.add_options()                                                                  //
      ("device", po::value<std::string>()->default_value("cpu"), "cpu, cuda or cuda:N")  //
      ("dtype", po::value<std::string>()->default_value("f32"),
       "f32 or bf16: storage of activations and matrix weights")  //
      ("threads", po::value<int>()->default_value(0),
       "threads that compute, decompress and compress; 0: one a core")  //
      ("chunk", po::value<std::int64_t>()->default_value(0),
       "bases a chunk of a long sequence; 0 chooses. Changes memory, never a result")  //
      ("max-memory", po::value<std::string>()->default_value("0"),
       "host memory to stay below, as 2G; 0: what is free. Long sequences are run in the fastest "
       "way "
       "that fits; no result depends on it")  //
      ("device-memory", po::value<std::string>()->default_value("0"),
       "the same for the memory of a CUDA device")  //
      ("scratch", po::value<std::string>()->default_value(""),
       "folder for what does not fit into memory: activations of long sequences, and rows that "
       "wait "
       "for their other strand (these without it in the system's temporary folder). Nothing is "
       "left "
       "there, however the run ends");
  return options;
}

ModelOptions model_options(const po::variables_map& values) {
  ModelOptions options;
  options.device = parse_device(values["device"].as<std::string>());
  options.dtype = parse_dtype(values["dtype"].as<std::string>());
  options.threads = values["threads"].as<int>();
  options.chunk_bases = values["chunk"].as<std::int64_t>();
  if (options.threads < 0) {
    throw InvalidArgument(fmt::format("--threads must be 0 or more, not {}", options.threads));
  }
  options.max_memory_bytes = parse_bytes(values["max-memory"].as<std::string>(), "--max-memory");
  options.device_memory_bytes =
      parse_bytes(values["device-memory"].as<std::string>(), "--device-memory");
  options.scratch = values["scratch"].as<std::string>();
  if (options.device_memory_bytes > 0 && options.device.kind == Device::Kind::cpu) {
    throw InvalidArgument("--device-memory is for --device cuda; of a CPU it is --max-memory");
  }
  if (options.chunk_bases < 0) {
    throw InvalidArgument(fmt::format("--chunk must be 0 or more, not {}", options.chunk_bases));
  }
  return options;
}

std::string shell_line(const std::string& command, const std::vector<std::string>& arguments) {
  std::string line = command;
  for (const std::string& argument : arguments) {
    const bool is_plain = !argument.empty() &&
                          argument.find_first_of(" \t\n'\"\\$`&|;<>(){}*?#~!") == std::string::npos;
    line += is_plain ? " " + argument : " '" + argument + "'";
  }
  return line;
}

std::int64_t parse_bytes(const std::string& text, const std::string& option) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::string_view suffixes = "kMGT";
  double unit = 1;
  bool is_known = error == std::errc() && std::isfinite(value) && value >= 0;
  if (!suffix.empty()) {
    const std::size_t place = suffixes.find(suffix == "K" ? 'k' : suffix.front());
    is_known = is_known && suffix.size() == 1 && place != std::string_view::npos;
    for (std::size_t i = 0; is_known && i <= place; ++i) unit *= 1000;
  }
  if (!is_known || value * unit >= 9e18) {
    throw InvalidArgument(
        fmt::format("{} must be bytes, as 500M, 24G or 1.5T, not '{}'", option, text));
  }
  return static_cast<std::int64_t>(value * unit);
}

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t place = digits.size(); place > first + 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

std::string readable_bytes(std::int64_t bytes) {
  static constexpr std::array<const char*, 5> units{"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.2f} {}", value, units[unit]);
}

std::string pass_text(const PassPlan& pass) {
  const bool is_chunked = pass.chunk_bases < pass.length;
  std::string text = fmt::format("up to {} bases a sequence, ", with_commas(pass.length));
  text += is_chunked ? fmt::format("chunks of {}", with_commas(pass.chunk_bases)) : "in one piece";
  if (pass.mode == "kept") text += ", both sweeps at once with all inputs kept";
  if (pass.mode == "chunks") text += " through all layers, nothing kept";
  if (pass.mode == "folded") {
    const std::string place = pass.stream_place == "scratch" ? "a scratch file"
                              : pass.stream_place == "host"  ? "host memory"
                              : pass.device_is_host          ? "memory"
                                                             : "device memory";
    text += ", one residual stream a strand in " + place;
  }
  text += fmt::format("; takes {} of {}", readable_bytes(pass.device_bytes),
                      pass.device_is_host ? "memory" : "device memory");
  if (pass.host_bytes > 0) text += ", " + readable_bytes(pass.host_bytes) + " of host memory";
  if (pass.scratch_bytes > 0) text += ", " + readable_bytes(pass.scratch_bytes) + " of scratch";
  if (pass.seconds > 0) {
    text += fmt::format(", about {:.{}f} s", pass.seconds, pass.seconds < 10 ? 1 : 0);
  }
  return text;
}

}  // namespace ssmgen::cli
