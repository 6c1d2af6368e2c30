// A user's program: it sees the installed public headers and library, and nothing else.
#include <cstring>
#include <iostream>
#include <ssmgen/version.hpp>

int main() {
  std::cout << ssmgen::version() << '\n';
  return std::strcmp(ssmgen::version(), EXPECTED_VERSION) == 0 ? 0 : 1;
}
