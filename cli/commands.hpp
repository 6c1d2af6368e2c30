#pragma once
// One function a command, each in a file of its name: arguments without the command's name in, exit
// code out; errors are thrown.

#include <string>
#include <vector>

namespace ssmgen::cli {

int run_score(const std::vector<std::string>& arguments);
int run_embed(const std::vector<std::string>& arguments);
int run_track(const std::vector<std::string>& arguments);
int run_info(const std::vector<std::string>& arguments);
int run_selftest(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);

/// The one line of help that the list of commands shows.
extern const char* const score_summary;
extern const char* const embed_summary;
extern const char* const track_summary;
extern const char* const info_summary;
extern const char* const selftest_summary;
extern const char* const bench_summary;

}  // namespace ssmgen::cli
