// libFuzzer target: whatever bytes stand in a safetensors file, the reader gives its tensors or
// throws a FormatError; nothing is read outside the file and no memory asked for beyond it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <ssmgen/errors.hpp>

#include "models/safetensors.hpp"

namespace {

using namespace ssmgen;

void read_all(std::span<const std::byte> bytes) {
  const auto file = models::SafetensorsFile::from_bytes(bytes, "fuzzed.safetensors");
  std::size_t total = 0;
  for (const models::TensorEntry& entry : file.tensors()) {
    total += entry.bytes.size();
    if (file.find(entry.name) != &entry) std::abort();
    if (models::is_floating(entry.dtype)) {
      const auto values = file.read_f32(entry, models::NonFinite::keep);
      if (static_cast<std::int64_t>(values.size()) != entry.elements()) std::abort();
      try {
        file.read_f32(entry);
      } catch (const FormatError&) {  // a NaN or an infinity
      }
    } else if (models::is_integral(entry.dtype)) {
      const auto values = file.read_i64(entry);
      if (static_cast<std::int64_t>(values.size()) != entry.elements()) std::abort();
    }
  }
  if (total > bytes.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    read_all(std::as_bytes(std::span(data, size)));
  } catch (const FormatError&) {
  }
  return 0;
}
