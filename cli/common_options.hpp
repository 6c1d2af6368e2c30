#pragma once
// What the commands share: option groups, parsing with the project's rules, help.

#include <boost/program_options.hpp>
#include <ssmgen/errors.hpp>
#include <ssmgen/model.hpp>
#include <string>
#include <vector>

namespace ssmgen::cli {

namespace po = boost::program_options;

/// Exit codes of every command.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 2;

/// The texts around a command's options.
struct CommandHelp {
  std::string summary;   ///< one line, also in the list of commands
  std::string usage;     ///< after "Usage: "
  std::string details;   ///< what comes in and out
  std::string examples;  ///< whole command lines
};

/// A parsed command line; `wants_help` when the help was printed in place of parsing.
struct ParsedCommand {
  po::variables_map values;
  bool wants_help = false;
};

/// Parses `arguments` (without the command's name). Positional ones go to the option `positional`.
/// -h and --help print to stdout. Names are never guessed from a beginning.
/// @throws InvalidArgument for a wrong command line.
ParsedCommand parse_command(const std::vector<std::string>& arguments, const CommandHelp& help,
                            const po::options_description& visible, const std::string& positional);

/// --device, --dtype, --threads, --chunk, --max-memory, --device-memory, --scratch.
po::options_description device_options();

/// @throws InvalidArgument.
ModelOptions model_options(const po::variables_map& values);

/// What a user wrote, as a shell would take it back: the command's name and its arguments.
std::string shell_line(const std::string& command, const std::vector<std::string>& arguments);

/// "500", "24G", "1.5M": bytes, with a suffix k, M, G or T in powers of 1000.
/// @throws InvalidArgument naming the option.
std::int64_t parse_bytes(const std::string& text, const std::string& option);

/// "4,641,652".
std::string with_commas(std::int64_t number);

/// "3.2 GB", powers of 1000.
std::string readable_bytes(std::int64_t bytes);

/// One line: how a sequence goes through the model and what it takes.
std::string pass_text(const PassPlan& pass);

}  // namespace ssmgen::cli
