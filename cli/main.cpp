// The ssmgen command: a table of commands.

#include <array>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <iostream>
#include <ssmgen/errors.hpp>
#include <ssmgen/version.hpp>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"

namespace ssmgen::cli {
namespace {

struct Command {
  std::string_view name;
  int (*run)(const std::vector<std::string>&);
  const char* const* summary;
};

constexpr std::array commands{
    Command{"score", run_score, &score_summary},
    Command{"embed", run_embed, &embed_summary},
    Command{"track", run_track, &track_summary},
    Command{"info", run_info, &info_summary},
    Command{"selftest", run_selftest, &selftest_summary},
    Command{"bench", run_bench, &bench_summary},
};

std::string usage() {
  std::string text =
      "ssmgen runs genomic state space models over sequences of any length.\n\n"
      "Usage: ssmgen COMMAND [OPTIONS] ...\n\nCommands:\n";
  for (const Command& command : commands) {
    text += fmt::format("  {:<10}{}\n", command.name, *command.summary);
  }
  return text +
         "\nssmgen COMMAND --help tells what a command takes; ssmgen --version the version.\n\n"
         "Examples:\n"
         "  ssmgen score --model MODEL_DIR --fasta genome.fa -o scored.vcf.gz variants.vcf.gz\n"
         "  ssmgen embed --model MODEL_DIR --pool mean -o genes.npy genes.fa\n"
         "  ssmgen info MODEL_DIR\n"
         "  ssmgen selftest\n";
}

// Started with a standard stream closed, the next file that is opened would take its number: stdin
// would read the genome, a warning would be written into the output. Reading and writing of what is
// put there fails; log messages go nowhere.
void occupy_standard_streams() {
  for (const auto& [stream, access] :
       {std::pair{STDIN_FILENO, O_WRONLY}, {STDOUT_FILENO, O_RDONLY}, {STDERR_FILENO, O_WRONLY}}) {
    // Every lower number is taken by now, so that is the one which opening gives.
    if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", access) != stream) _exit(exit_failure);
  }
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::cerr << usage();
    return exit_usage;
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    std::cout << usage();
    return exit_ok;
  }
  if (name == "--version") {
    std::cout << "ssmgen " << version() << "\n";
    return exit_ok;
  }
  for (const Command& command : commands) {
    if (command.name == name) return command.run({arguments.begin() + 1, arguments.end()});
  }
  throw InvalidArgument(fmt::format("'{}' is not a command; ssmgen --help lists them", name));
}

}  // namespace
}  // namespace ssmgen::cli

int main(int argc, char** argv) {
  using namespace ssmgen;
  cli::occupy_standard_streams();
  try {
    const int code = cli::run({argv + 1, argv + argc});
    std::cout.flush();
    if (!std::cout) throw DeviceError("cannot write to standard output");
    return code;
  } catch (const InvalidArgument& error) {
    std::cerr << "ssmgen: " << error.what() << "\n";
    return cli::exit_usage;
  } catch (const std::bad_alloc&) {
    std::cerr << "ssmgen: out of memory: use a smaller --batch, --window or --chunk\n";
    return cli::exit_failure;
  } catch (const std::exception& error) {
    std::cerr << "ssmgen: " << error.what() << "\n";
    return cli::exit_failure;
  }
}
