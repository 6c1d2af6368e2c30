#include "cli/data_paths.hpp"

#include <algorithm>
#include <filesystem>
#include <ssmgen/errors.hpp>

namespace ssmgen::cli {

std::vector<std::string> bundled_goldens() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path command = fs::read_symlink("/proc/self/exe", error);
  // PREFIX/bin/ssmgen, or SOURCE/build/bin/ssmgen.
  const fs::path above = command.parent_path().parent_path();
  for (const fs::path& folder :
       {above / "share/ssmgen/golden", above.parent_path() / "test_data/golden"}) {
    std::vector<std::string> directories;
    if (!fs::is_directory(folder, error)) continue;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (fs::exists(entry.path() / "expected.safetensors")) {
        directories.push_back(entry.path().string());
      }
    }
    std::sort(directories.begin(), directories.end());
    if (!directories.empty()) return directories;
  }
  throw FormatError("no bundled golden directories were found beside " + command.string() +
                    ": name one with --golden DIR");
}

}  // namespace ssmgen::cli
