#pragma once
// What the commands that run a model over a file share.

#include <cstdint>
#include <ssmgen/model.hpp>
#include <string>

#include "cli/common_options.hpp"
#include "cli/progress.hpp"

namespace ssmgen::cli {

/// device_options() and --batch.
po::options_description pass_options();

/// The one file of the positional option `name`; empty when there is none. `subject` and `verb` say
/// in the error what is done to one at a time.
/// @throws InvalidArgument for more than one.
std::string only_file(const po::variables_map& values, const std::string& name,
                      const std::string& subject, const std::string& verb);

/// --model, its warnings and the tensors it does not use told.
Model load_model(const po::variables_map& values, ProgressLine& progress);

/// The summary's last line.
void print_windows(std::int64_t windows, double seconds);

}  // namespace ssmgen::cli
