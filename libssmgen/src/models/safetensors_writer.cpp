#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <ssmgen/errors.hpp>

#include "models/safetensors.hpp"

namespace ssmgen::models {

namespace {

void check(const std::filesystem::path& path, const TensorToWrite& tensor) {
  std::int64_t bits = dtype_bits(tensor.dtype);
  for (const std::int64_t extent : tensor.shape) {
    if (extent < 0 || __builtin_mul_overflow(bits, extent, &bits)) {
      throw InvalidArgument(fmt::format("{}: tensor '{}' cannot have the shape {}", path.string(),
                                        tensor.name, shape_text(tensor.shape)));
    }
  }
  if (bits % 8 != 0 || bits / 8 != static_cast<std::int64_t>(tensor.bytes.size())) {
    throw InvalidArgument(fmt::format(
        "{}: tensor '{}' {} {} takes {} bits, but {} bytes were given", path.string(), tensor.name,
        shape_text(tensor.shape), dtype_name(tensor.dtype), bits, tensor.bytes.size()));
  }
}

std::string make_header(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                        const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string_view> names{"__metadata__"};
  std::size_t offset = 0;
  // Members are appended, not looked up: an ordered_json is a list, and models have many tensors.
  auto& members = header.get_ref<nlohmann::ordered_json::object_t&>();
  for (const TensorToWrite& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      throw InvalidArgument(
          fmt::format("{}: the tensor name '{}' is taken already", path.string(), tensor.name));
    }
    check(path, tensor);
    nlohmann::ordered_json entry;
    entry["dtype"] = dtype_name(tensor.dtype);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {offset, offset + tensor.bytes.size()};
    members.push_back({tensor.name, std::move(entry)});
    offset += tensor.bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception& error) {
    throw InvalidArgument(
        fmt::format("{}: a name or metadata is not UTF-8: {}", path.string(), error.what()));
  }
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data is aligned as the file is
  return text;
}

}  // namespace

TensorToWrite f32_tensor(std::string name, std::vector<std::int64_t> shape,
                         std::span<const float> values) {
  return {std::move(name), TensorDtype::f32, std::move(shape), std::as_bytes(values)};
}

TensorToWrite i64_tensor(std::string name, std::vector<std::int64_t> shape,
                         std::span<const std::int64_t> values) {
  return {std::move(name), TensorDtype::i64, std::move(shape), std::as_bytes(values)};
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string header = make_header(path, tensors, metadata);
  const std::uint64_t header_length = header.size();
  std::vector<std::span<const std::byte>> parts;
  parts.push_back(std::as_bytes(std::span(&header_length, 1)));
  parts.push_back(std::as_bytes(std::span(header)));
  for (const TensorToWrite& tensor : tensors) parts.push_back(tensor.bytes);
  base::write_file(path, parts);
}

}  // namespace ssmgen::models
