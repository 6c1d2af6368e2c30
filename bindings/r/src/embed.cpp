// Hidden states of sequences, and one value a base.

#include <ssmgen/embed.hpp>

#include "binding.hpp"

namespace ssmgen::r {

namespace {

EmbedSettings settings_of(const Rcpp::List& list) {
  const auto count = [&](const char* name) {
    return static_cast<std::int64_t>(Rcpp::as<double>(list[name]));
  };
  EmbedSettings settings;
  settings.layer = Rcpp::as<std::string>(list["layer"]);
  settings.pooling = parse_embed_pooling(Rcpp::as<std::string>(list["pool"]));
  settings.strand = parse_embed_strand(Rcpp::as<std::string>(list["strand"]));
  settings.window_bases = count("window");
  settings.stride_bases = count("stride");
  settings.whole = Rcpp::as<bool>(list["whole"]);
  settings.skip_n = Rcpp::as<bool>(list["skipN"]);
  settings.batch_windows = count("batch");
  return settings;
}

EmbedProgressCallback callback_of(Progress& progress) {
  return [&progress](const EmbedProgress& told) {
    progress.tell(static_cast<double>(told.bases), static_cast<double>(told.bases_total));
  };
}

// Rows [begin, end) of a layer as R's matrix, which stores columns.
Rcpp::NumericMatrix matrix_of(const EmbedArray& array, std::int64_t layer, std::int64_t begin,
                              std::int64_t end) {
  Rcpp::NumericMatrix matrix(static_cast<int>(end - begin), static_cast<int>(array.channels));
  for (std::int64_t row = begin; row < end; ++row) {
    const float* from = array.values.data() + (layer * array.rows + row) * array.channels;
    for (std::int64_t channel = 0; channel < array.channels; ++channel) {
      matrix(static_cast<int>(row - begin), static_cast<int>(channel)) = number(from[channel]);
    }
  }
  return matrix;
}

}  // namespace

}  // namespace ssmgen::r

// A list of matrices, one a layer; with pool "none" each a list of them, one a sequence.
// [[Rcpp::export]]
Rcpp::List embed_sequences(SEXP model, const std::vector<std::string>& sequences,
                           const Rcpp::List& settings, SEXP progress) {
  using namespace ssmgen;
  return r::guarded([&](r::Told&) {
    const EmbedSettings chosen = r::settings_of(settings);
    r::Progress told(progress);
    const EmbedArray array =
        embed_sequences(r::model_of(model), sequences, chosen, r::callback_of(told));
    Rcpp::List layers(static_cast<R_xlen_t>(array.layers));
    for (std::int64_t layer = 0; layer < array.layers; ++layer) {
      if (chosen.pooling.pool != EmbedPool::none) {
        layers[layer] = r::matrix_of(array, layer, 0, array.rows);
        continue;
      }
      Rcpp::List parts(static_cast<R_xlen_t>(sequences.size()));
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        parts[static_cast<R_xlen_t>(i)] =
            r::matrix_of(array, layer, array.first_rows[i], array.first_rows[i + 1]);
      }
      layers[layer] = parts;
    }
    return layers;
  });
}

// The values of all regions, one after the other.
// [[Rcpp::export]]
Rcpp::List score_bases(SEXP model, const Rcpp::List& genome, const Rcpp::List& regions,
                       const std::string& score, const Rcpp::List& settings, SEXP progress) {
  using namespace ssmgen;
  return r::guarded([&](r::Told& told) {
    TrackChoices choices;
    parse_track_score(score, choices);
    choices.settings = r::settings_of(settings);
    const Model& loaded = r::model_of(model);
    const std::unique_ptr<Genome> opened = r::open_genome(genome, told);
    r::Progress told_progress(progress);
    const BaseScores scores = score_bases(loaded, *opened, r::regions_of(regions), choices,
                                          r::callback_of(told_progress));
    Rcpp::NumericVector values(static_cast<R_xlen_t>(scores.values.size()));
    for (std::size_t i = 0; i < scores.values.size(); ++i) {
      values[static_cast<R_xlen_t>(i)] = r::number(scores.values[i]);
    }
    return values;
  });
}
