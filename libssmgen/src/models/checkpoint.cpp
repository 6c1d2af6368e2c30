#include "models/checkpoint.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "base/sha256.hpp"

namespace ssmgen::models {

namespace {

using std::filesystem::path;

constexpr const char* weights_file = "model.safetensors";
constexpr const char* index_file = "model.safetensors.index.json";

// fmt::join would do, but g++ 12 warns falsely inside it at -O3.
std::string joined(std::span<const std::string> words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (&word != words.data()) text += separator;
    text += word;
  }
  return text;
}

std::string name_of(const path& directory) {
  const path clean = std::filesystem::absolute(directory).lexically_normal();
  return (clean.has_filename() ? clean.filename() : clean.parent_path().filename()).string();
}

void check_directory(const path& directory) {
  switch (base::path_kind(directory)) {
    case base::PathKind::directory:
      return;
    case base::PathKind::missing:
      throw FormatError(
          fmt::format("model directory '{}' does not exist: expected a directory "
                      "with config.json and {}",
                      directory.string(), weights_file));
    default:
      throw FormatError(
          fmt::format("expected a model directory with config.json and {}, but '{}' "
                      "is no directory; give the directory it lies in",
                      weights_file, directory.string()));
  }
}

base::JsonValue read_config(const path& directory) {
  const path file = directory / "config.json";
  if (base::path_kind(file) == base::PathKind::missing) {
    throw FormatError(
        fmt::format("'{}' is no model directory: config.json is missing", directory.string()));
  }
  auto config = base::JsonValue::parse_file(file, {.accept_python_constants = true});
  if (!config.is_object()) config.fail("expected a JSON object");
  return config;
}

// No weights under the names looked for: says what lies there in their place.
[[noreturn]] void refuse_without_weights(const path& directory) {
  std::vector<std::string> pickles;
  std::vector<std::string> others;
  for (const auto& item : std::filesystem::directory_iterator(directory)) {
    const std::string extension = item.path().extension().string();
    const std::string name = item.path().filename().string();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth" || extension == ".ckpt") {
      pickles.push_back(name);
    } else if (extension == ".safetensors") {
      others.push_back(name);
    }
  }
  std::ranges::sort(pickles);
  std::ranges::sort(others);
  if (!others.empty()) {
    throw FormatError(
        fmt::format("'{}' has {}, but neither {} nor {}: rename the file, or add the "
                    "index of the shards",
                    directory.string(), joined(others, ", "), weights_file, index_file));
  }
  if (!pickles.empty()) {
    throw FormatError(
        fmt::format("'{}' has its weights in PyTorch's format only ({}): convert it "
                    "with `python -m ssmgen.convert {}`",
                    directory.string(), joined(pickles, ", "), directory.string()));
  }
  throw FormatError(fmt::format("'{}' has no weights: expected {} or {}", directory.string(),
                                weights_file, index_file));
}

}  // namespace

Checkpoint::Checkpoint(base::JsonValue config) : config_(std::move(config)) {}

Checkpoint Checkpoint::open(const path& directory) {
  check_directory(directory);
  Checkpoint result(read_config(directory));
  result.directory_ = directory;
  result.model_name_ = name_of(directory);
  if (base::path_kind(directory / weights_file) != base::PathKind::missing) {
    result.add_shard(directory / weights_file);
  } else if (base::path_kind(directory / index_file) != base::PathKind::missing) {
    result.open_shards(directory / index_file);
  } else {
    refuse_without_weights(directory);
  }
  return result;
}

void Checkpoint::add_shard(const path& file) {
  shards_.push_back(SafetensorsFile::open(file));
  for (const TensorEntry& entry : shards_.back().tensors()) {
    const auto [place, is_new] = tensors_.emplace(entry.name, Location{shards_.size() - 1, &entry});
    if (!is_new) {
      throw FormatError(fmt::format("tensor '{}' stands in two shards: '{}' and '{}'", entry.name,
                                    shards_[place->second.shard].path().string(), file.string()));
    }
  }
}

void Checkpoint::open_shards(const path& index_path) {
  const auto index = base::JsonValue::parse_file(index_path, {.accept_python_constants = true});
  const auto weight_map = index.at("weight_map").members();
  if (weight_map.empty()) index.at("weight_map").fail("expected tensor names, found none");
  std::set<std::string> files;
  for (const auto& [name, value] : weight_map) {
    const std::string file = value.text();
    // The index comes from a stranger: it may not lead out of the directory.
    if (path(file).filename() != path(file) || file == "." || file == ".." || file.empty()) {
      value.fail(fmt::format("expected the name of a file in this directory, found '{}'", file));
    }
    if (files.insert(file).second &&
        base::path_kind(index_path.parent_path() / file) == base::PathKind::missing) {
      value.fail(fmt::format("the shard '{}' is missing in this directory", file));
    }
  }
  for (const std::string& file : files) add_shard(index_path.parent_path() / file);
  for (const auto& [name, value] : weight_map) {
    const Location* location = locate(name);
    const std::string file = value.text();
    if (location == nullptr || shards_[location->shard].path().filename() != file) {
      value.fail(fmt::format("the shard '{}' has no such tensor", file));
    }
  }
}

const Checkpoint::Location* Checkpoint::locate(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

bool Checkpoint::has(std::string_view name) const {
  return locate(name) != nullptr;
}

const TensorEntry* Checkpoint::find(std::string_view name) const {
  const Location* location = locate(name);
  return location == nullptr ? nullptr : location->entry;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> result;
  result.reserve(tensors_.size());
  for (const auto& [name, location] : tensors_) result.push_back(name);
  return result;
}

void Checkpoint::check_shape(const Location& location, const Shape& expected) const {
  if (location.entry->shape == expected) return;
  throw FormatError(fmt::format("{}: tensor '{}' has the shape {}, expected {} by config.json",
                                shards_[location.shard].path().string(), location.entry->name,
                                shape_text(location.entry->shape), shape_text(expected)));
}

std::vector<float> Checkpoint::read(const Location& location, const Shape& expected) {
  check_shape(location, expected);
  used_.insert(location.entry->name);
  return shards_[location.shard].read_f32(*location.entry);
}

std::vector<float> Checkpoint::f32(std::string_view name, const Shape& expected) {
  return f32_or({std::string(name)}, expected);
}

std::vector<float> Checkpoint::f32_or(std::initializer_list<std::string> names,
                                      const Shape& expected) {
  for (const std::string& name : names) {
    const Location* location = locate(name);
    if (location == nullptr) continue;
    if (&name != names.begin()) alias(*names.begin(), name);
    return read(*location, expected);
  }
  std::int64_t elements = 1;
  for (const std::int64_t extent : expected) {
    // Zeros stand in only for tensors of a size that a config of this format can mean.
    if (__builtin_mul_overflow(elements, extent, &elements)) elements = -1;
  }
  if (!collect_missing_ || elements < 0 || elements > std::int64_t{1} << 32) {
    throw FormatError(fmt::format("{}: the tensor '{}' {} is missing", directory_.string(),
                                  joined({names.begin(), names.size()}, "' or '"),
                                  shape_text(expected)));
  }
  missing_.push_back(*names.begin());
  return std::vector<float>(static_cast<std::size_t>(elements));
}

std::optional<std::vector<float>> Checkpoint::f32_optional(std::string_view name,
                                                           const Shape& expected) {
  const Location* location = locate(name);
  if (location == nullptr) return std::nullopt;
  return read(*location, expected);
}

std::optional<std::vector<std::int64_t>> Checkpoint::i64_optional(std::string_view name,
                                                                  const Shape& expected) {
  const Location* location = locate(name);
  if (location == nullptr) return std::nullopt;
  check_shape(*location, expected);
  used_.emplace(name);
  return shards_[location->shard].read_i64(*location->entry);
}

void Checkpoint::alias(std::string_view name, std::string_view used_instead) {
  const bool known = std::ranges::any_of(tied_, [&](const TiedTensor& tied) {
    return tied.name == name && tied.stored_as == used_instead;
  });
  if (!known) tied_.push_back({std::string(name), std::string(used_instead)});
  mark_used(used_instead);
}

void Checkpoint::mark_used(std::string_view name) {
  if (has(name)) used_.emplace(name);
}

void Checkpoint::check_complete() const {
  if (missing_.empty()) return;
  constexpr std::size_t shown = 10;
  const std::size_t count = std::min(shown, missing_.size());
  throw FormatError(fmt::format("{}: {} tensors are missing: '{}'{}", directory_.string(),
                                missing_.size(), joined(std::span(missing_).first(count), "', '"),
                                missing_.size() > shown ? " and more" : ""));
}

std::vector<std::string> Checkpoint::unused() const {
  std::vector<std::string> result;
  for (const auto& [name, location] : tensors_) {
    if (!used_.contains(name)) result.push_back(name);
  }
  return result;
}

std::int64_t Checkpoint::parameter_count() const {
  std::int64_t count = 0;
  for (const auto& [dtype, elements] : parameter_dtypes()) count += elements;
  return count;
}

std::map<std::string, std::int64_t> Checkpoint::parameter_dtypes() const {
  std::map<std::string, std::int64_t> result;
  for (const auto& [name, location] : tensors_) {
    const TensorEntry& entry = *location.entry;
    if (is_integral(entry.dtype)) continue;
    result[std::string(dtype_name(entry.dtype))] += entry.elements();
  }
  return result;
}

std::int64_t Checkpoint::weights_bytes() const {
  std::int64_t bytes = 0;
  for (const SafetensorsFile& shard : shards_) {
    bytes += static_cast<std::int64_t>(shard.file_bytes().size());
  }
  return bytes;
}

std::vector<path> Checkpoint::weight_files() const {
  std::vector<path> result;
  for (const SafetensorsFile& shard : shards_) result.push_back(shard.path());
  return result;
}

const std::string& Checkpoint::weights_sha256() const {
  if (weights_sha256_.empty()) {
    base::Sha256 hash;
    for (const SafetensorsFile& shard : shards_) hash.update(shard.file_bytes());
    weights_sha256_ = hash.hex_digest();
  }
  return weights_sha256_;
}

}  // namespace ssmgen::models
