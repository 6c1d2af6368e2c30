#include "tasks/score_settings.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen {

ScoreMode parse_score_mode(std::string_view name) {
  if (name == "masked") return ScoreMode::masked;
  if (name == "unmasked") return ScoreMode::unmasked;
  if (name == "causal") return ScoreMode::causal;
  throw InvalidArgument(
      fmt::format("score mode '{}' is not known: choose of masked, unmasked, causal", name));
}

std::string_view score_mode_name(ScoreMode mode) {
  switch (mode) {
    case ScoreMode::masked:
      return "masked";
    case ScoreMode::unmasked:
      return "unmasked";
    case ScoreMode::causal:
      return "causal";
  }
  return "";
}

WindowEdge parse_window_edge(std::string_view name) {
  if (name == "shift") return WindowEdge::shift;
  if (name == "pad") return WindowEdge::pad;
  throw InvalidArgument(fmt::format("edge '{}' is not known: choose shift or pad", name));
}

StrandChoice parse_strand_choice(std::string_view name) {
  if (name == "auto") return StrandChoice::automatic;
  if (name == "plus") return StrandChoice::plus;
  if (name == "minus") return StrandChoice::minus;
  if (name == "mean") return StrandChoice::mean;
  throw InvalidArgument(
      fmt::format("strand '{}' is not known: choose auto, plus, minus or mean", name));
}

CheckRef parse_check_ref(std::string_view name) {
  if (name == "warn") return CheckRef::warn;
  if (name == "skip") return CheckRef::skip;
  if (name == "error") return CheckRef::error;
  throw InvalidArgument(
      fmt::format("check-ref '{}' is not known: choose warn, skip or error", name));
}

}  // namespace ssmgen

namespace ssmgen::tasks {
namespace {

constexpr std::int64_t longest_default_window = 8192;
constexpr std::int64_t plain_default_window = 512;
// Beyond any contig; what memory can hold is less and shows when it is asked for.
constexpr std::int64_t longest_window = std::int64_t{1} << 32;
// Enough windows to fill the caches several times over, few enough that progress is seen.
constexpr std::int64_t default_batch_bases = 16384;

void check_mode(const ModelInfo& model, ScoreMode mode) {
  if (mode == ScoreMode::causal && !model.is_causal) {
    throw InvalidArgument(
        fmt::format("score mode causal needs a model that reads from left to right; {} sees both "
                    "sides of a position: use masked or unmasked",
                    model.name));
  }
  if (mode != ScoreMode::causal && model.is_causal) {
    throw InvalidArgument(
        fmt::format("score mode {} needs a model that sees both sides of a position; {} is causal: "
                    "use --score causal",
                    score_mode_name(mode), model.name));
  }
  if (mode == ScoreMode::masked && !model.has_mask_token) {
    throw InvalidArgument(fmt::format(
        "score mode masked needs a mask token, which {} does not have: use --score unmasked",
        model.name));
  }
}

void check_tag_prefix(const std::string& prefix) {
  const auto is_tag_letter = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.';
  };
  const bool starts_well =
      !prefix.empty() &&
      (std::isalpha(static_cast<unsigned char>(prefix[0])) != 0 || prefix[0] == '_');
  if (!starts_well || !std::all_of(prefix.begin(), prefix.end(), is_tag_letter)) {
    throw InvalidArgument(
        fmt::format("tag prefix '{}' cannot begin an INFO key: it must start with a letter or '_' "
                    "and hold letters, digits, '_' and '.' only",
                    prefix));
  }
}

}  // namespace

std::string ScoreSettings::tag(ScoreMode mode) const {
  std::string name(score_mode_name(mode));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return tag_prefix + "_" + name;
}

ScoreSettings resolve_score_settings(const ModelInfo& model, const ScoreChoices& choices,
                                     const std::string& tag_prefix) {
  if (!model.is_dna) {
    throw InvalidArgument(
        fmt::format("{} cannot score variants: {}", model.name, model.vocabulary_note));
  }
  check_tag_prefix(tag_prefix);
  ScoreSettings settings;
  settings.tag_prefix = tag_prefix;
  for (const ScoreMode mode : choices.modes) {
    check_mode(model, mode);
    if (std::find(settings.modes.begin(), settings.modes.end(), mode) == settings.modes.end()) {
      settings.modes.push_back(mode);
    }
  }
  if (settings.modes.empty()) {
    settings.modes.push_back(model.is_causal ? ScoreMode::causal : ScoreMode::masked);
  }
  if (choices.window_bases < 0 || choices.window_bases > longest_window) {
    throw InvalidArgument(fmt::format("window must be 0 (the default) or 1 to {} bases, not {}",
                                      longest_window, choices.window_bases));
  }
  settings.window_bases = choices.window_bases;
  if (settings.window_bases == 0) {
    settings.window_bases = model.max_length > 0
                                ? std::min(model.max_length, longest_default_window)
                                : plain_default_window;
  }
  settings.edge = choices.edge == WindowEdge::shift ? genome::Edge::shift : genome::Edge::pad;

  StrandChoice strand = choices.strand;
  if (strand == StrandChoice::automatic) {
    strand = model.is_causal ? StrandChoice::mean : StrandChoice::plus;
  }
  settings.strand_name = strand == StrandChoice::mean    ? "mean"
                         : strand == StrandChoice::minus ? "minus"
                                                         : "plus";
  if (model.is_reverse_complement_equivariant) {
    // Both strands give the same numbers, so one pass serves every choice.
    settings.strand_name = "both";
  } else {
    settings.read_plus = strand != StrandChoice::minus;
    settings.read_minus = strand != StrandChoice::plus;
  }

  if (choices.batch_windows < 0) {
    throw InvalidArgument(
        fmt::format("batch must be a number of windows above 0, not {}", choices.batch_windows));
  }
  settings.batch_windows = choices.batch_windows;
  settings.is_batch_free = choices.batch_windows == 0;
  if (settings.batch_windows == 0) {
    settings.batch_windows = std::max<std::int64_t>(1, default_batch_bases / settings.window_bases);
  }
  return settings;
}

}  // namespace ssmgen::tasks
