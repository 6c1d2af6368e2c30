#include "models/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <tuple>

#include "base/json.hpp"

namespace ssmgen::models {

namespace {

constexpr std::size_t length_bytes = 8;
// The bound of the public implementations; a header of a model with 100,000 tensors has 15 MB.
constexpr std::uint64_t longest_header = 100'000'000;

struct Range {
  std::int64_t begin;
  std::int64_t end;
};

// The bytes of a tensor of that type and shape; fails naming the tensor when they are no whole
// number or beyond 64 bits.
std::int64_t stored_bytes(const base::JsonValue& shape_value, TensorDtype dtype,
                          std::span<const std::int64_t> shape) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape) {
    // An extent of 0 must not hide that the others overflow.
    if (__builtin_mul_overflow(elements, std::max<std::int64_t>(extent, 1), &elements)) {
      shape_value.fail(fmt::format("the number of elements of {} overflows", shape_text(shape)));
    }
  }
  if (std::ranges::find(shape, 0) != shape.end()) elements = 0;
  std::int64_t bits = 0;
  if (__builtin_mul_overflow(elements, dtype_bits(dtype), &bits)) {
    shape_value.fail(
        fmt::format("the size of {} {} overflows", shape_text(shape), dtype_name(dtype)));
  }
  if (bits % 8 != 0) {
    shape_value.fail(fmt::format("expected whole bytes, but {} {} has {} bits", shape_text(shape),
                                 dtype_name(dtype), bits));
  }
  return bits / 8;
}

std::vector<std::int64_t> parse_shape(const base::JsonValue& value) {
  std::vector<std::int64_t> shape;
  for (const base::JsonValue& extent : value.elements()) shape.push_back(extent.integer(0));
  return shape;
}

Range parse_offsets(const base::JsonValue& value, std::int64_t data_size) {
  const auto elements = value.elements();
  if (elements.size() != 2) {
    value.fail(fmt::format("expected [begin, end], found {}", value.excerpt()));
  }
  const Range range{elements[0].integer(0), elements[1].integer(0)};
  if (range.end < range.begin) {
    value.fail(fmt::format("the end {} lies before the begin {}", range.end, range.begin));
  }
  if (range.end > data_size) {
    value.fail(fmt::format("the end {} lies beyond the {} bytes of data in the file (cut short?)",
                           range.end, data_size));
  }
  return range;
}

// Looks at blocks without a branch an element, which the compiler turns into vector code: a model's
// gigabytes pass through here.
std::vector<float>::const_iterator find_non_finite(const std::vector<float>& values) {
  constexpr std::size_t block = 4096;
  for (std::size_t begin = 0; begin < values.size(); begin += block) {
    const std::size_t end = std::min(begin + block, values.size());
    std::uint32_t found = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto magnitude = std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffffu;
      found |= static_cast<std::uint32_t>(magnitude >= 0x7f800000u);
    }
    if (found != 0) {
      return std::find_if_not(values.begin() + static_cast<std::ptrdiff_t>(begin), values.end(),
                              [](float value) { return std::isfinite(value); });
    }
  }
  return values.end();
}

}  // namespace

std::int64_t TensorEntry::elements() const noexcept {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile result;
  result.path_ = path;
  result.file_ = base::MappedFile(path);
  result.bytes_ = result.file_.bytes();
  result.parse();
  return result;
}

SafetensorsFile SafetensorsFile::from_bytes(std::span<const std::byte> bytes,
                                            const std::filesystem::path& path) {
  SafetensorsFile result;
  result.path_ = path;
  result.bytes_ = bytes;
  result.parse();
  return result;
}

void SafetensorsFile::parse() {
  const std::string file = path_.string();
  if (bytes_.size() < length_bytes) {
    throw FormatError(
        fmt::format("{}: expected a safetensors file, which has at least {} bytes, found {} bytes",
                    file, length_bytes, bytes_.size()));
  }
  std::uint64_t header_length = 0;
  std::memcpy(&header_length, bytes_.data(), length_bytes);
  if (header_length > longest_header) {
    throw FormatError(fmt::format(
        "{}: the header states a length of {} bytes, more than the {} allowed: no safetensors file",
        file, header_length, longest_header));
  }
  if (header_length > bytes_.size() - length_bytes) {
    throw FormatError(
        fmt::format("{}: the header states a length of {} bytes, but the file has only {} (cut "
                    "short?)",
                    file, header_length, bytes_.size()));
  }
  const std::string_view header(reinterpret_cast<const char*>(bytes_.data()) + length_bytes,
                                static_cast<std::size_t>(header_length));
  if (!header.starts_with('{')) {
    throw FormatError(fmt::format("{}: the header is no JSON object: no safetensors file", file));
  }
  const auto document = base::JsonValue::parse(header, file, {.max_depth = 8});
  const auto data = bytes_.subspan(length_bytes + static_cast<std::size_t>(header_length));
  const auto data_size = static_cast<std::int64_t>(data.size());

  for (const auto& [name, value] : document.members()) {
    if (name == "__metadata__") {
      for (const auto& [key, text] : value.members()) metadata_.emplace(key, text.text());
      continue;
    }
    TensorEntry entry;
    entry.name = name;
    const auto dtype_value = value.at("dtype");
    const auto dtype = find_dtype(dtype_value.text());
    if (!dtype) dtype_value.fail(fmt::format("unknown dtype {}", dtype_value.excerpt()));
    entry.dtype = *dtype;
    const auto shape_value = value.at("shape");
    entry.shape = parse_shape(shape_value);
    const std::int64_t expected_bytes = stored_bytes(shape_value, entry.dtype, entry.shape);
    const auto offsets_value = value.at("data_offsets");
    const Range range = parse_offsets(offsets_value, data_size);
    if (range.end - range.begin != expected_bytes) {
      offsets_value.fail(fmt::format("expected {} bytes for {} {}, found {}", expected_bytes,
                                     shape_text(entry.shape), dtype_name(entry.dtype),
                                     range.end - range.begin));
    }
    entry.bytes = data.subspan(static_cast<std::size_t>(range.begin),
                               static_cast<std::size_t>(range.end - range.begin));
    tensors_.push_back(std::move(entry));
  }

  std::ranges::sort(tensors_, {}, [](const TensorEntry& entry) {
    return std::tuple(entry.bytes.data(), entry.bytes.size(), std::string_view(entry.name));
  });
  std::int64_t end = 0;
  for (const TensorEntry& entry : tensors_) {
    const std::int64_t begin = entry.bytes.data() - data.data();
    if (begin != end) {
      throw FormatError(fmt::format(
          "{}: tensor '{}' begins at byte {} of the data, expected {}: {}", file, entry.name, begin,
          end, begin < end ? "it overlaps the one before" : "there is a hole before it"));
    }
    end = begin + static_cast<std::int64_t>(entry.bytes.size());
    index_.emplace(entry.name, index_.size());
  }
  if (end != data_size) {
    throw FormatError(fmt::format("{}: {} bytes follow the last tensor{}", file, data_size - end,
                                  tensors_.empty() ? "" : " '" + tensors_.back().name + "'"));
  }
}

const TensorEntry* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const TensorEntry& SafetensorsFile::at(std::string_view name) const {
  const TensorEntry* entry = find(name);
  if (entry == nullptr) {
    throw FormatError(fmt::format("{}: the tensor '{}' is missing", path_.string(), name));
  }
  return *entry;
}

std::vector<float> SafetensorsFile::read_f32(const TensorEntry& entry, NonFinite non_finite) const {
  if (!is_floating(entry.dtype)) {
    throw FormatError(fmt::format("{}: tensor '{}': expected F16, BF16, F32 or F64, found {}",
                                  path_.string(), entry.name, dtype_name(entry.dtype)));
  }
  std::vector<float> values = to_f32(entry.dtype, entry.bytes);
  if (non_finite == NonFinite::keep) return values;
  const auto bad = find_non_finite(values);
  if (bad == values.end()) return values;
  // The index is given as the shape counts, not as memory does.
  std::int64_t rest = bad - values.begin();
  std::vector<std::int64_t> index(entry.shape.size());
  for (std::size_t axis = index.size(); axis-- > 0;) {
    index[axis] = rest % entry.shape[axis];
    rest /= entry.shape[axis];
  }
  throw FormatError(fmt::format(
      "{}: tensor '{}' holds {} at {} as f32, expected finite weights (file damaged, or training "
      "diverged)",
      path_.string(), entry.name, *bad, shape_text(index)));
}

std::vector<std::int64_t> SafetensorsFile::read_i64(const TensorEntry& entry) const {
  if (!is_integral(entry.dtype)) {
    throw FormatError(fmt::format("{}: tensor '{}': expected BOOL or an integer type, found {}",
                                  path_.string(), entry.name, dtype_name(entry.dtype)));
  }
  return to_i64(entry.dtype, entry.bytes);
}

}  // namespace ssmgen::models
