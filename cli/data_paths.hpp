#pragma once

#include <string>
#include <vector>

namespace ssmgen::cli {

/// Golden directories that come with ssmgen: beside an installed command, or in the source tree of
/// a built one. @throws FormatError when they are not found.
std::vector<std::string> bundled_goldens();

}  // namespace ssmgen::cli
