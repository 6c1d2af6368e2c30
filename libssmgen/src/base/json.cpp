#include "base/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>
#include <ssmgen/errors.hpp>

#include "base/files.hpp"

namespace ssmgen::base {

namespace {

using nlohmann::json;

// "[json.exception.parse_error.101] parse error at line 1, column 5: ..." without its first word.
std::string_view message_of(const json::exception& error) {
  const std::string_view text = error.what();
  const auto end = text.find("] ");
  return end == std::string_view::npos ? text : text.substr(end + 2);
}

// Builds the document from the parser's events. The parser's own builder keeps the last of two
// equal keys and nests without bound; with a callback that looks for both, it takes time quadratic
// in the members of an object, and safetensors headers have tens of thousands.
class StrictBuilder final : public nlohmann::json_sax<json> {
 public:
  StrictBuilder(const std::string& source, int max_depth)
      : source_(source), max_depth_(max_depth) {}

  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }  // JSON text has none

  bool start_object(std::size_t /*size*/) override { return open(json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [place, is_new] = open_.back()->emplace(std::move(name), nullptr);
    if (!is_new) {
      throw FormatError(
          fmt::format("{}: key '{}' stands twice in one JSON object", source_, place.key()));
    }
    member_ = &*place;
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const json::exception& error) override {
    throw FormatError(fmt::format("{}: expected JSON: {}", source_, message_of(error)));
  }

 private:
  // Where the next value goes: the root, the end of an array or the member just named.
  json& place(json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return open_.back()->back();
    }
    return *member_ = std::move(value);
  }

  bool add(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json value) {
    if (static_cast<int>(open_.size()) >= max_depth_) {
      throw FormatError(fmt::format("{}: JSON nested deeper than {} levels", source_, max_depth_));
    }
    open_.push_back(&place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& source_;
  int max_depth_;
  json root_;
  std::vector<json*> open_;  ///< objects and arrays that are not closed yet, outermost first
  json* member_ = nullptr;
};

// Python writes NaN, Infinity and -Infinity, which are not JSON; outside strings they become null.
std::string without_python_constants(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      result += text[i++];
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      bool replaced = false;
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
        if (text.substr(i, word.size()) == word) {
          result += "null";
          i += word.size() - 1;
          replaced = true;
          break;
        }
      }
      if (replaced) continue;
    }
    result += text[i];
  }
  return result;
}

const char* type_words(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "an array";
    case json::value_t::string:
      return "the string";
    case json::value_t::boolean:
      return "the truth value";
    default:
      return "the number";
  }
}

}  // namespace

JsonValue::JsonValue(std::shared_ptr<const json> document,
                     std::shared_ptr<const std::string> source)
    : document_(std::move(document)), source_(std::move(source)), value_(document_.get()) {}

JsonValue JsonValue::parse_file(const std::filesystem::path& path, const JsonOptions& options) {
  return parse(read_file(path, options.max_bytes), path.string(), options);
}

JsonValue JsonValue::parse(std::string_view text, const std::string& source,
                           const JsonOptions& options) {
  // nlohmann's parser takes a NUL for the end of the text and would not look behind it.
  if (const auto place = text.find('\0'); place != std::string_view::npos) {
    throw FormatError(fmt::format("{}: expected JSON: NUL byte at offset {}", source, place));
  }
  std::string rewritten;
  if (options.accept_python_constants) {
    rewritten = without_python_constants(text);
    text = rewritten;
  }
  StrictBuilder builder(source, options.max_depth);
  json::sax_parse(text.begin(), text.end(), &builder);
  return JsonValue(std::make_shared<const json>(builder.take()),
                   std::make_shared<const std::string>(source));
}

JsonValue JsonValue::child(const json& value, std::string place) const {
  JsonValue result = *this;
  result.value_ = &value;
  result.place_ = std::move(place);
  return result;
}

bool JsonValue::is_object() const noexcept {
  return value_->is_object();
}
bool JsonValue::is_array() const noexcept {
  return value_->is_array();
}
bool JsonValue::is_string() const noexcept {
  return value_->is_string();
}
bool JsonValue::is_boolean() const noexcept {
  return value_->is_boolean();
}
bool JsonValue::is_number() const noexcept {
  return value_->is_number();
}
bool JsonValue::is_null() const noexcept {
  return value_->is_null();
}

bool JsonValue::is_integer() const noexcept {
  // A number_unsigned may exceed int64; integer() must then say "out of range", not wrap.
  return value_->is_number_integer();
}

std::size_t JsonValue::size() const noexcept {
  return value_->is_object() || value_->is_array() ? value_->size() : 0;
}

void JsonValue::fail(std::string_view problem) const {
  if (place_.empty()) throw FormatError(fmt::format("{}: {}", *source_, problem));
  throw FormatError(fmt::format("{}: '{}': {}", *source_, place_, problem));
}

void JsonValue::fail_type(std::string_view expected) const {
  const bool scalar = !value_->is_null() && !value_->is_object() && !value_->is_array();
  fail(fmt::format("expected {}, found {}{}{}", expected, type_words(*value_), scalar ? " " : "",
                   scalar ? excerpt() : std::string()));
}

bool JsonValue::contains(std::string_view key) const {
  return value_->is_object() && value_->find(key) != value_->end();
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  if (!is_object()) fail_type("an object");
  const auto found = value_->find(key);
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return child(*found, place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key));
}

JsonValue JsonValue::at(std::string_view key) const {
  if (!is_object()) fail_type("an object");
  const auto found = value_->find(key);
  if (found == value_->end()) fail(fmt::format("the key '{}' is missing", key));
  return child(*found, place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key));
}

std::vector<std::pair<std::string, JsonValue>> JsonValue::members() const {
  if (!is_object()) fail_type("an object");
  std::vector<std::pair<std::string, JsonValue>> result;
  result.reserve(value_->size());
  for (const auto& [key, value] : value_->items()) {
    result.emplace_back(key,
                        child(value, place_.empty() ? key : fmt::format("{}.{}", place_, key)));
  }
  return result;
}

std::vector<JsonValue> JsonValue::elements() const {
  if (!is_array()) fail_type("an array");
  std::vector<JsonValue> result;
  result.reserve(value_->size());
  for (const json& value : *value_) {
    result.push_back(child(value, fmt::format("{}[{}]", place_, result.size())));
  }
  return result;
}

std::int64_t JsonValue::integer(std::int64_t min, std::int64_t max) const {
  if (!is_integer()) fail_type("an integer");
  constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool fits = !value_->is_number_unsigned() || value_->get<std::uint64_t>() <= largest;
  const std::int64_t value = fits ? value_->get<std::int64_t>() : 0;
  if (!fits || value < min || value > max) {
    fail(fmt::format("expected an integer from {} to {}, found {}", min, max, excerpt()));
  }
  return value;
}

double JsonValue::number() const {
  if (!is_number()) fail_type("a number");
  return value_->get<double>();
}

bool JsonValue::boolean() const {
  if (!is_boolean()) fail_type("true or false");
  return value_->get<bool>();
}

std::string JsonValue::text() const {
  if (!is_string()) fail_type("a string");
  return value_->get<std::string>();
}

std::int64_t JsonValue::integer_or(std::string_view key, std::int64_t fallback, std::int64_t min,
                                   std::int64_t max) const {
  const auto value = find(key);
  return value ? value->integer(min, max) : fallback;
}

double JsonValue::number_or(std::string_view key, double fallback) const {
  const auto value = find(key);
  return value ? value->number() : fallback;
}

bool JsonValue::boolean_or(std::string_view key, bool fallback) const {
  const auto value = find(key);
  return value ? value->boolean() : fallback;
}

std::string JsonValue::text_or(std::string_view key, std::string_view fallback) const {
  const auto value = find(key);
  return value ? value->text() : std::string(fallback);
}

std::string JsonValue::excerpt() const {
  constexpr std::size_t longest = 60;
  std::string text = value_->dump(-1, ' ', /*ensure_ascii=*/true);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

}  // namespace ssmgen::base
