#pragma once
// JSON read strictly, with errors that name the file and the place in it. A thin layer over
// nlohmann-json: duplicate keys and deep nesting are refused, a getter states what it expects.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ssmgen::base {

struct JsonOptions {
  int max_depth = 32;                    ///< objects and arrays within each other
  std::int64_t max_bytes = 64 << 20;     ///< of a file
  bool accept_python_constants = false;  ///< read Python's NaN and Infinity as null
};

/// A value in a JSON document: cheap to copy, keeps the document alive, knows its source and place.
class JsonValue {
 public:
  /// @throws FormatError when `path` cannot be read or does not hold one JSON value.
  static JsonValue parse_file(const std::filesystem::path& path, const JsonOptions& options = {});

  /// Parses `text`; `source` (a path) names it in errors. @throws FormatError.
  static JsonValue parse(std::string_view text, const std::string& source,
                         const JsonOptions& options = {});

  const std::string& source() const noexcept { return *source_; }
  /// Where in the document, for example "ssm_cfg.d_state" or "shape[2]"; empty at the top.
  const std::string& place() const noexcept { return place_; }

  bool is_object() const noexcept;
  bool is_array() const noexcept;
  bool is_string() const noexcept;
  bool is_boolean() const noexcept;
  bool is_integer() const noexcept;  ///< written without fraction or exponent and within 64 bits
  bool is_number() const noexcept;
  bool is_null() const noexcept;

  /// Number of members of an object or elements of an array, else 0.
  std::size_t size() const noexcept;

  /// True when this is an object with `key`, even if its value is null.
  bool contains(std::string_view key) const;
  /// The member `key`; none when absent or null. @throws FormatError when this is not an object.
  std::optional<JsonValue> find(std::string_view key) const;
  /// The member `key`. @throws FormatError when this is not an object or lacks it.
  JsonValue at(std::string_view key) const;
  /// Members in the order of their keys. @throws FormatError when this is not an object.
  std::vector<std::pair<std::string, JsonValue>> members() const;
  /// @throws FormatError when this is not an array.
  std::vector<JsonValue> elements() const;

  /// @throws FormatError for another type or a value outside [min, max].
  std::int64_t integer(std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                       std::int64_t max = std::numeric_limits<std::int64_t>::max()) const;
  double number() const;
  bool boolean() const;
  std::string text() const;

  /// The member `key`, or `fallback` when it is absent or null. @throws FormatError as above.
  std::int64_t integer_or(std::string_view key, std::int64_t fallback, std::int64_t min,
                          std::int64_t max) const;
  double number_or(std::string_view key, double fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;

  /// The value as short JSON text for a message, cut after 60 characters.
  std::string excerpt() const;

  /// Throws a FormatError of source, place and `problem`.
  [[noreturn]] void fail(std::string_view problem) const;

 private:
  JsonValue(std::shared_ptr<const nlohmann::json> document,
            std::shared_ptr<const std::string> source);
  JsonValue child(const nlohmann::json& value, std::string place) const;
  [[noreturn]] void fail_type(std::string_view expected) const;

  std::shared_ptr<const nlohmann::json> document_;
  std::shared_ptr<const std::string> source_;
  const nlohmann::json* value_;
  std::string place_;
};

}  // namespace ssmgen::base
