#include "tasks/embed_settings.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <ssmgen/errors.hpp>

namespace ssmgen {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

EmbedPooling parse_embed_pooling(std::string_view text) {
  if (text == "none") return {EmbedPool::none, 0};
  if (text == "mean") return {EmbedPool::mean, 0};
  if (text == "max") return {EmbedPool::max, 0};
  if (text.starts_with("center:")) {
    const auto bases = whole_number(text.substr(7));
    if (bases && *bases > 0) return {EmbedPool::center, *bases};
  }
  throw InvalidArgument(fmt::format(
      "pool '{}' is not known: choose none, mean, max or center:K with K bases above 0", text));
}

std::string embed_pooling_name(const EmbedPooling& pooling) {
  switch (pooling.pool) {
    case EmbedPool::none:
      return "none";
    case EmbedPool::mean:
      return "mean";
    case EmbedPool::max:
      return "max";
    case EmbedPool::center:
      return fmt::format("center:{}", pooling.center_bases);
  }
  return "";
}

EmbedStrand parse_embed_strand(std::string_view text) {
  for (const EmbedStrand strand : {EmbedStrand::automatic, EmbedStrand::plus, EmbedStrand::minus,
                                   EmbedStrand::mean, EmbedStrand::concat}) {
    if (text == embed_strand_name(strand)) return strand;
  }
  throw InvalidArgument(
      fmt::format("strand '{}' is not known: choose auto, plus, minus, mean or concat", text));
}

std::string_view embed_strand_name(EmbedStrand strand) {
  switch (strand) {
    case EmbedStrand::automatic:
      return "auto";
    case EmbedStrand::plus:
      return "plus";
    case EmbedStrand::minus:
      return "minus";
    case EmbedStrand::mean:
      return "mean";
    case EmbedStrand::concat:
      return "concat";
  }
  return "";
}

ReadOrientation parse_read_orientation(std::string_view text) {
  if (text == "reference") return ReadOrientation::reference;
  if (text == "sequenced") return ReadOrientation::sequenced;
  throw InvalidArgument(
      fmt::format("read orientation '{}' is not known: choose reference or sequenced", text));
}

void parse_track_score(std::string_view text, TrackChoices& choices) {
  if (text == "entropy") {
    choices.score = TrackScore::entropy;
    return;
  }
  if (text == "logp") {
    choices.score = TrackScore::logp;
    return;
  }
  const auto channel =
      text.starts_with("channel:") ? whole_number(text.substr(8)) : std::optional<std::int64_t>();
  if (!channel || *channel < 0) {
    throw InvalidArgument(fmt::format(
        "score '{}' of a track is not known: choose entropy, logp or channel:N, N from 0", text));
  }
  choices.score = TrackScore::channel;
  choices.channel = *channel;
}

std::string track_score_name(const TrackChoices& choices) {
  switch (choices.score) {
    case TrackScore::entropy:
      return "entropy";
    case TrackScore::logp:
      return "logp";
    case TrackScore::channel:
      return fmt::format("channel:{}", choices.channel);
  }
  return "";
}

}  // namespace ssmgen

namespace ssmgen::tasks {
namespace {

constexpr std::int64_t default_window = 8192;
// Beyond any contig; what memory can hold is less and shows when it is asked for.
constexpr std::int64_t longest_window = std::int64_t{1} << 32;
// Enough windows to fill the caches several times over, few enough that progress is seen.
constexpr std::int64_t least_batch_bases = 16384;

std::vector<std::int64_t> chosen_layers(const ModelInfo& model, const std::string& text) {
  const std::int64_t last = model.n_layer;
  if (text == "last") return {last};
  if (text == "all") {
    std::vector<std::int64_t> layers;
    for (std::int64_t layer = 0; layer <= last; ++layer) layers.push_back(layer);
    return layers;
  }
  const auto layer = whole_number(text);
  if (!layer || *layer < 0 || *layer > last) {
    throw InvalidArgument(fmt::format(
        "layer '{}' is not one of {}: choose last, all or 0 to {} (0: what enters the first block, "
        "{}: last)",
        text, model.name, last, last));
  }
  return {*layer};
}

void choose_windows(const ModelInfo& model, const EmbedSettings& settings,
                    ResolvedEmbed& resolved) {
  if (settings.whole && (settings.window_bases != 0 || settings.stride_bases != 0)) {
    throw InvalidArgument("--whole reads records without windows: leave --window and --stride out");
  }
  if (settings.window_bases < 0 || settings.window_bases > longest_window) {
    throw InvalidArgument(fmt::format("window must be 0 (the default) or 1 to {} bases, not {}",
                                      longest_window, settings.window_bases));
  }
  if (settings.whole) return;
  resolved.window_bases = settings.window_bases;
  if (resolved.window_bases == 0) {
    resolved.window_bases =
        model.max_length > 0 ? std::min(model.max_length, default_window) : default_window;
  }
  resolved.stride_bases = settings.stride_bases == 0
                              ? std::max<std::int64_t>(1, resolved.window_bases / 2)
                              : settings.stride_bases;
  if (resolved.stride_bases < 1 || resolved.stride_bases > resolved.window_bases) {
    throw InvalidArgument(fmt::format(
        "the stride must be 1 to {} bases, the window, not {}: larger ones would leave bases out",
        resolved.window_bases, settings.stride_bases));
  }
}

}  // namespace

std::int64_t ResolvedEmbed::batch_of(std::int64_t length) const {
  if (batch_windows > 0) return batch_windows;
  return std::max<std::int64_t>(1, batch_bases / std::max<std::int64_t>(1, length));
}

std::int64_t ResolvedEmbed::pooled_begin(std::int64_t length) const {
  if (pooling.pool != EmbedPool::center) return 0;
  return std::max<std::int64_t>(0, (length - pooling.center_bases) / 2);
}

std::int64_t ResolvedEmbed::pooled_end(std::int64_t length) const {
  if (pooling.pool != EmbedPool::center) return length;
  return std::min(length, pooled_begin(length) + pooling.center_bases);
}

ResolvedEmbed resolve_embed_settings(const ModelInfo& model, const EmbedSettings& settings,
                                     std::int64_t preferred_rows) {
  if (!model.is_dna) {
    throw InvalidArgument(
        fmt::format("{} cannot embed DNA: {}", model.name, model.vocabulary_note));
  }
  ResolvedEmbed resolved;
  resolved.layers = chosen_layers(model, settings.layer);
  resolved.has_layer_dimension = settings.layer == "all";
  resolved.pooling = settings.pooling;
  resolved.model_has_both_strands = model.is_reverse_complement_equivariant;
  resolved.strand = settings.strand;
  if (resolved.strand == EmbedStrand::automatic) {
    resolved.strand = resolved.model_has_both_strands ? EmbedStrand::mean : EmbedStrand::plus;
  }
  resolved.strand_channels = model.d_model;
  resolved.channels = resolved.strand == EmbedStrand::concat ? 2 * model.d_model : model.d_model;
  choose_windows(model, settings, resolved);
  const bool pools = settings.pooling.pool != EmbedPool::none;
  if (settings.per_window && (settings.whole || !pools)) {
    throw InvalidArgument(
        "--per-window pools each window by itself: it goes with --pool mean, max or center:K and "
        "not with --whole");
  }
  if (settings.skip_n && !pools) {
    throw InvalidArgument(
        "--skip-n leaves bases out of pooling: it goes with --pool mean, max or center:K");
  }
  resolved.per_window = settings.per_window;
  resolved.skip_n = settings.skip_n;
  if (settings.batch_windows < 0) {
    throw InvalidArgument(
        fmt::format("batch must be a number of windows above 0, not {}", settings.batch_windows));
  }
  resolved.batch_windows = settings.batch_windows;
  resolved.batch_bases = std::max(least_batch_bases, preferred_rows);
  resolved.scratch = settings.scratch;
  return resolved;
}

}  // namespace ssmgen::tasks
