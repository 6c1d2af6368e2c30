#include "models/tokenizer.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <initializer_list>
#include <limits>
#include <map>
#include <ssmgen/errors.hpp>
#include <string_view>

#include "base/files.hpp"
#include "base/json.hpp"

namespace ssmgen::models {

namespace {

using base::JsonValue;
using std::filesystem::path;

// Without a tokenizer file, vocabularies up to this size are taken for the default DNA table.
constexpr std::int64_t largest_untold_vocabulary = 64;
constexpr std::int64_t largest_id = std::numeric_limits<std::int32_t>::max();

struct TokenTable {
  std::string source;  ///< the file, for messages
  std::map<std::string, std::int32_t, std::less<>> ids{};
  bool has_merges = false;  ///< byte-pair encoding: tokens of several letters

  std::optional<std::int32_t> find(std::initializer_list<std::string_view> spellings) const {
    for (const std::string_view spelling : spellings) {
      const auto found = ids.find(spelling);
      if (!spelling.empty() && found != ids.end()) return found->second;
    }
    return std::nullopt;
  }
};

void add_token(TokenTable& table, const std::string& token, const JsonValue& id) {
  table.ids.emplace(token, static_cast<std::int32_t>(id.integer(0, largest_id)));
}

TokenTable read_tokenizer_json(const path& file) {
  TokenTable table{.source = file.string()};
  const auto document = JsonValue::parse_file(file, {.accept_python_constants = true});
  const auto model = document.at("model");
  const auto vocab = model.at("vocab");
  if (vocab.is_array()) {  // Unigram: [[token, score], ...], the id is the place
    std::int32_t id = 0;
    for (const JsonValue& pair : vocab.elements()) {
      const auto elements = pair.elements();
      if (elements.empty()) pair.fail("expected [token, score]");
      table.ids.emplace(elements[0].text(), id++);
    }
  } else {
    for (const auto& [token, id] : vocab.members()) add_token(table, token, id);
  }
  if (const auto merges = model.find("merges")) table.has_merges = merges->size() > 0;
  if (const auto added = document.find("added_tokens")) {
    for (const JsonValue& token : added->elements()) {
      add_token(table, token.at("content").text(), token.at("id"));
    }
  }
  return table;
}

TokenTable read_vocab_json(const path& file) {
  TokenTable table{.source = file.string()};
  for (const auto& [token, id] : JsonValue::parse_file(file).members()) {
    add_token(table, token, id);
  }
  const path merges = file.parent_path() / "merges.txt";
  table.has_merges = base::file_exists(merges) && base::file_bytes(merges) > 0;
  return table;
}

TokenTable read_vocab_txt(const path& file) {
  TokenTable table{.source = file.string()};
  const std::string text = base::read_file(file);
  std::int32_t id = 0;
  for (std::size_t begin = 0; begin < text.size(); ++id) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string token = text.substr(begin, end - begin);
    if (token.ends_with('\r')) token.pop_back();
    table.ids.emplace(std::move(token), id);
    begin = end + 1;
  }
  return table;
}

// The tokenizers of Caduceus and HyenaDNA are code; their files state the letters alone, which
// follow seven special tokens.
TokenTable table_of_characters(const JsonValue& characters) {
  TokenTable table{.source = characters.source()};
  std::int32_t id = 0;
  for (const std::string_view token :
       {"[CLS]", "[SEP]", "[BOS]", "[MASK]", "[PAD]", "[RESERVED]", "[UNK]"}) {
    table.ids.emplace(token, id++);
  }
  for (const JsonValue& letter : characters.elements()) table.ids.emplace(letter.text(), id++);
  return table;
}

std::optional<TokenTable> read_table(const path& directory,
                                     const std::optional<JsonValue>& tokenizer_config) {
  if (const path file = directory / "tokenizer.json"; base::file_exists(file)) {
    return read_tokenizer_json(file);
  }
  if (const path file = directory / "vocab.json"; base::file_exists(file)) {
    return read_vocab_json(file);
  }
  if (const path file = directory / "vocab.txt"; base::file_exists(file)) {
    return read_vocab_txt(file);
  }
  if (!tokenizer_config) return std::nullopt;
  if (const auto characters = tokenizer_config->find("characters")) {
    return table_of_characters(*characters);
  }
  return std::nullopt;
}

// "mask_token": "[MASK]", or {"content": "[MASK]", ...}; empty when not stated.
std::string stated_token(const std::optional<JsonValue>& tokenizer_config, std::string_view key) {
  if (!tokenizer_config) return {};
  const auto value = tokenizer_config->find(key);
  if (!value) return {};
  return value->is_object() ? value->text_or("content", "") : value->text();
}

// model_max_length; transformers writes 1e30 for "none".
std::int64_t read_max_length(const std::optional<JsonValue>& tokenizer_config) {
  if (!tokenizer_config) return 0;
  const auto value = tokenizer_config->find("model_max_length");
  if (!value) return 0;
  const double length = value->number();
  if (!(length >= 1)) {
    value->fail(fmt::format("expected a length of at least 1, found {}", value->excerpt()));
  }
  constexpr double longest = 1e12;
  return length > longest ? 0 : static_cast<std::int64_t>(length);
}

bool is_word_of_bases(std::string_view token) {
  return token.size() > 1 && token.find_first_not_of("ACGTacgt") == std::string_view::npos;
}

std::optional<std::array<std::int32_t, 4>> find_bases(const TokenTable& table,
                                                      std::string_view letters) {
  std::array<std::int32_t, 4> ids{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto id = table.find({letters.substr(i, 1)});
    if (!id) return std::nullopt;
    ids[i] = *id;
  }
  return ids;
}

void find_dna(const TokenTable& table, const std::optional<JsonValue>& tokenizer_config,
              ModelVocabulary& result) {
  const auto word = std::ranges::find_if(
      table.ids, [](const auto& token) { return is_word_of_bases(token.first); });
  if (table.has_merges || word != table.ids.end()) {
    result.note =
        table.has_merges
            ? fmt::format("not DNA: {} makes tokens of several letters", table.source)
            : fmt::format("not DNA base by base: {} has the token '{}'", table.source, word->first);
    return;
  }
  const auto upper = find_bases(table, "ACGT");
  const auto lower = find_bases(table, "acgt");
  if (!upper && !lower) {
    result.note = fmt::format("not DNA: {} lacks tokens for A, C, G and T", table.source);
    return;
  }
  if (upper && lower && upper != lower) {
    result.warnings.push_back(fmt::format(
        "{}: has tokens for upper and lower case bases; upper case is used", table.source));
  }
  result.dna.base_ids = upper ? *upper : *lower;
  const auto unknown = table.find({stated_token(tokenizer_config, "unk_token"), "[UNK]", "<unk>"});
  const auto n = upper ? table.find({"N", "n"}) : table.find({"n", "N"});
  if (!unknown && !n) {
    result.note = fmt::format("not DNA: {} has neither N nor [UNK]", table.source);
    return;
  }
  result.is_dna = true;
  result.note = table.source;
  result.dna.unknown = unknown ? *unknown : *n;
  result.dna.n = n ? *n : *unknown;
  result.dna.mask =
      table.find({stated_token(tokenizer_config, "mask_token"), "[MASK]", "<mask>"}).value_or(-1);
  result.dna.pad = table.find({stated_token(tokenizer_config, "pad_token"), "[PAD]", "<pad>"})
                       .value_or(result.dna.n);
  result.separator =
      table.find({stated_token(tokenizer_config, "sep_token"), "[SEP]", "<sep>", "</s>"});
  result.start = table.find({stated_token(tokenizer_config, "cls_token"), "[CLS]", "<cls>"});
}

void use_default_table(const ModelConfig& config, ModelVocabulary& result) {
  constexpr std::int64_t default_table_size = 12;
  const std::int64_t size = config.vocab_size();
  if (size < default_table_size || size > largest_untold_vocabulary) {
    result.note = fmt::format(
        "not DNA: the directory has no tokenizer file, and the default DNA table fits a vocabulary "
        "of {} to {} tokens, not {}",
        default_table_size, largest_untold_vocabulary, size);
    return;
  }
  result.is_dna = true;
  result.note = "the default DNA table, as the directory has no tokenizer file";
  result.dna = genome::default_dna_vocabulary();
  result.start = 0;
  result.separator = 1;
}

void check_ids(const ModelVocabulary& result, const ModelConfig& config, const path& directory) {
  const auto& dna = result.dna;
  const auto check_range = [&](std::string_view token, std::int32_t id) {
    if (id < config.vocab_size()) return;
    throw FormatError(fmt::format(
        "{}: the token {} has the id {}, but the embedding has only {} rows (ids from {})",
        directory.string(), token, id, config.vocab_size(), result.note));
  };
  constexpr std::string_view letters = "ACGT";
  for (std::size_t i = 0; i < 4; ++i) check_range(letters.substr(i, 1), dna.base_ids[i]);
  check_range("N", dna.n);
  check_range("[MASK]", dna.mask);
  check_range("[UNK]", dna.unknown);
  check_range("[PAD]", dna.pad);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto end = dna.base_ids.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(dna.base_ids.begin(), end, dna.base_ids[i]) != end) {
      throw FormatError(fmt::format("{}: two bases share the token id {} (ids from {})",
                                    directory.string(), dna.base_ids[i], result.note));
    }
  }
  const auto& complement = config.complement_map();
  if (complement.empty()) return;
  const auto check_pair = [&](std::string_view token, std::int32_t id, std::int32_t expected) {
    const std::int32_t found = complement[static_cast<std::size_t>(id)];
    if (found == expected) return;
    throw FormatError(fmt::format(
        "{}: by config.json's complement_map the complement of {} (id {}) is {}, expected {} (ids "
        "from {})",
        directory.string(), token, id, found, expected, result.note));
  };
  for (std::size_t i = 0; i < 4; ++i) {
    check_pair(letters.substr(i, 1), dna.base_ids[i], dna.base_ids[3 - i]);
  }
  check_pair("N", dna.n, dna.n);
}

}  // namespace

ModelVocabulary read_vocabulary(const path& directory, const ModelConfig& config) {
  ModelVocabulary result;
  std::optional<JsonValue> tokenizer_config;
  if (const path file = directory / "tokenizer_config.json"; base::file_exists(file)) {
    tokenizer_config = JsonValue::parse_file(file, {.accept_python_constants = true});
  }
  result.max_length = read_max_length(tokenizer_config);
  if (const auto table = read_table(directory, tokenizer_config)) {
    find_dna(*table, tokenizer_config, result);
  } else {
    use_default_table(config, result);
  }
  if (result.is_dna) check_ids(result, config, directory);
  return result;
}

}  // namespace ssmgen::models
