// Writes the seeds of fuzz_safetensors into the folder given: valid files of each kind, so that
// the fuzzer begins behind the header's checks.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "models/safetensors.hpp"

namespace {

using namespace ssmgen::models;

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_safetensors(folder / "empty", {});

  const std::vector<float> values = {0.5f, -1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
  const std::vector<std::int64_t> ids = {0, 1, 3, 2};
  const std::vector<TensorToWrite> model = {
      i64_tensor("lm_head.complement_map", {4}, ids),
      f32_tensor("backbone.layers.0.norm.weight", {6}, values),
      f32_tensor("backbone.layers.0.mixer.conv1d.weight", {3, 1, 2}, values),
      f32_tensor("none", {0, 5}, {}),
  };
  write_safetensors(folder / "model", model, {{"format", "pt"}});

  // A tensor of each type: 8 bytes are a whole number of elements of all but the 6-bit ones.
  const std::vector<std::byte> bytes(24, std::byte{0x3c});
  std::vector<TensorToWrite> types;
  for (int i = 0; i <= static_cast<int>(TensorDtype::c64); ++i) {
    const auto dtype = static_cast<TensorDtype>(i);
    types.push_back({std::string(dtype_name(dtype)),
                     dtype,
                     {static_cast<std::int64_t>(bytes.size()) * 8 / dtype_bits(dtype)},
                     bytes});
  }
  write_safetensors(folder / "types", types);

  std::ofstream(folder / "cut", std::ios::binary) << std::string("\x10\0\0\0\0\0\0\0{\"a\"", 12);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_safetensors_corpus FOLDER\n";
    return 2;
  }
  write_seeds(argv[1]);
  return 0;
}
