#include "cli/model_commands.hpp"

#include <fmt/format.h>
#include <iostream>
#include <vector>

namespace ssmgen::cli {

po::options_description pass_options() {
  po::options_description options = device_options();
  options.add_options()("batch", po::value<std::int64_t>()->default_value(0),
                        "windows a pass of the model; 0 chooses. Changes no result");
  return options;
}

std::string only_file(const po::variables_map& values, const std::string& name,
                      const std::string& subject, const std::string& verb) {
  if (values.count(name) == 0) return "";
  const auto& files = values[name].as<std::vector<std::string>>();
  if (files.size() > 1) {
    throw InvalidArgument(fmt::format("one {} is {} at a time, not {} ('{}', '{}')", subject, verb,
                                      files.size(), files[0], files[1]));
  }
  return files.front();
}

Model load_model(const po::variables_map& values, ProgressLine& progress) {
  Model model = Model::load(values["model"].as<std::string>(), model_options(values));
  for (const std::string& warning : model.info().warnings) progress.on_warning(warning);
  for (const std::string& name : model.info().unused) {
    progress.on_warning(
        fmt::format("{}: tensor {} is not used by this model", model.info().directory, name));
  }
  return model;
}

void print_windows(std::int64_t windows, double seconds) {
  std::cerr << fmt::format("ssmgen: {} windows in {:.1f} s ({:.1f} windows/s)\n",
                           with_commas(windows), seconds, static_cast<double>(windows) / seconds);
}

}  // namespace ssmgen::cli
