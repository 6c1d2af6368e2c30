#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <ssmgen/selftest.hpp>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/data_paths.hpp"

namespace ssmgen::cli {

const char* const selftest_summary = "compare with what the reference implementations computed";

namespace {

const CommandHelp help{
    "ssmgen selftest - compare with what the reference implementations computed",
    "ssmgen selftest [--golden DIR]... [OPTIONS]",
    "Runs each directory's model on its inputs and prints a line a tensor: name, largest absolute\n"
    "difference, norm of the difference over the norm of the expected, its tolerance, PASS or "
    "FAIL.\n"
    "A directory holds config.json, model.safetensors and expected.safetensors. Without --golden\n"
    "the bundled ones are run. The exit code is 1 when a line fails.\n",
    "  ssmgen selftest\n"
    "  ssmgen selftest --golden golden/caduceus_ps --golden golden/mamba_lm --dtype bf16\n"};

}  // namespace

int run_selftest(const std::vector<std::string>& arguments) {
  po::options_description options("What to run");
  options.add_options()("golden", po::value<std::vector<std::string>>()->composing(),
                        "a golden directory; may be given several times");
  options.add(device_options());
  const ParsedCommand parsed = parse_command(arguments, help, options, "directory");
  if (parsed.wants_help) return exit_ok;
  std::vector<std::string> directories;
  for (const char* name : {"golden", "directory"}) {
    if (parsed.values.count(name) == 0) continue;
    const auto& given = parsed.values[name].as<std::vector<std::string>>();
    directories.insert(directories.end(), given.begin(), given.end());
  }
  if (directories.empty()) directories = bundled_goldens();
  const ModelOptions where = model_options(parsed.values);

  int failed = 0;
  int passed = 0;
  for (const std::string& directory : directories) {
    std::cout << directory << " (" << device_name(where.device) << ", " << dtype_name(where.dtype)
              << ")\n"
              << fmt::format("  {:<20}{:>14}{:>14}{:>14}\n", "tensor", "max abs", "relative",
                             "tolerance");
    for (const TensorCheck& check : selftest(directory, where)) {
      std::cout << fmt::format("  {:<20}{:>14.3e}{:>14.3e}{:>14.1e}  {}\n", check.name,
                               check.max_abs_error, check.relative_norm, check.tolerance,
                               check.passed ? "PASS" : "FAIL");
      ++(check.passed ? passed : failed);
    }
  }
  std::cout << fmt::format("{} tensors passed, {} failed\n", passed, failed);
  return failed == 0 ? exit_ok : exit_failure;
}

}  // namespace ssmgen::cli
