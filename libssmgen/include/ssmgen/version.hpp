#pragma once

namespace ssmgen {

/// The library's version, "MAJOR.MINOR.PATCH"; CMakeLists.txt is the one place that states it.
const char* version() noexcept;

}  // namespace ssmgen
