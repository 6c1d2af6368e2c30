#include <fmt/format.h>
#include <ssmgen/dtype.hpp>
#include <ssmgen/errors.hpp>

namespace ssmgen {

Dtype parse_dtype(std::string_view name) {
  if (name == "f32") return Dtype::f32;
  if (name == "bf16") return Dtype::bf16;
  throw InvalidArgument(fmt::format("dtype '{}' is not known: choose f32 or bf16", name));
}

}  // namespace ssmgen
