#pragma once

#include <cstdint>
#include <ssmgen/score.hpp>
#include <string>
#include <vector>

#include "genome/window.hpp"

namespace ssmgen::tasks {

/// ScoreOptions with every default chosen and checked against the model.
struct ScoreSettings {
  std::vector<ScoreMode> modes;
  std::int64_t window_bases = 0;
  genome::Edge edge = genome::Edge::shift;
  bool read_plus = true;
  bool read_minus = false;
  std::int64_t batch_windows = 0;  ///< at the most
  bool is_batch_free = true;       ///< a batch may be smaller than that
  std::string tag_prefix;

  /// Name of a mode's INFO field.
  std::string tag(ScoreMode mode) const;
  std::string reason_tag() const { return tag_prefix + "_REASON"; }
  /// "plus", "minus", "mean" or "both" for a reverse-complement equivariant model.
  std::string strand_name;
};

/// @throws InvalidArgument saying which option does not fit what.
ScoreSettings resolve_score_settings(const ModelInfo& model, const ScoreChoices& choices,
                                     const std::string& tag_prefix = "SSM");

}  // namespace ssmgen::tasks
