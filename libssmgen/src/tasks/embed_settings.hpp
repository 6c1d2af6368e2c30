#pragma once

#include <cstdint>
#include <ssmgen/embed.hpp>
#include <string>
#include <vector>

namespace ssmgen::tasks {

/// EmbedSettings with every default chosen and checked against the model.
struct ResolvedEmbed {
  std::vector<std::int64_t> layers;  ///< as in stream::RunOutputs::hidden_layers
  bool has_layer_dimension = false;  ///< "all" was asked for
  EmbedPooling pooling;
  EmbedStrand strand = EmbedStrand::plus;  ///< not automatic
  bool model_has_both_strands = false;     ///< one pass gives plus and minus
  std::int64_t strand_channels = 0;        ///< d_model
  std::int64_t channels = 0;               ///< of a row that comes out
  std::int64_t window_bases = 0;           ///< 0: whole records
  std::int64_t stride_bases = 0;
  bool per_window = false;
  bool skip_n = false;
  std::int64_t batch_windows = 0;  ///< 0: as many as `batch_bases` hold
  std::int64_t batch_bases = 0;
  std::string scratch;

  bool reads_plus() const { return strand != EmbedStrand::minus; }
  bool reads_minus() const { return strand != EmbedStrand::plus; }
  /// Windows of a length that go through the model together.
  std::int64_t batch_of(std::int64_t length) const;
  /// How many bases in the middle `center` pools of a record, and where they begin.
  std::int64_t pooled_begin(std::int64_t length) const;
  std::int64_t pooled_end(std::int64_t length) const;
};

/// @param preferred_rows the back end's, for the default batch
/// @throws InvalidArgument saying which setting does not fit what
ResolvedEmbed resolve_embed_settings(const ModelInfo& model, const EmbedSettings& settings,
                                     std::int64_t preferred_rows);

}  // namespace ssmgen::tasks
