// A user's program: it sees the installed public headers and library, and nothing else.
#include <iostream>
#include <ssmgen/model.hpp>
#include <ssmgen/version.hpp>

int main(int, char** arguments) {
  const ssmgen::Model model = ssmgen::Model::load(arguments[1]);
  const auto ids = model.encode("ATGAAACGCATTAGC");
  const auto length = static_cast<std::int64_t>(ids.size());
  const ssmgen::ForwardResult result = model.forward(ids, 1, length);
  std::cout << "ssmgen " << ssmgen::version() << ": " << model.info().name << " gave "
            << result.logits.size() << " logits for " << length << " bases\n";
}
