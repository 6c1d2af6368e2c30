// Scores of variants.

#include <ssmgen/score.hpp>

#include "binding.hpp"

namespace ssmgen::r {

namespace {

class Observer final : public ScoreObserver {
 public:
  Observer(Told& told, SEXP progress, double total)
      : told_(told), progress_(progress), total_(total) {}

  void on_progress(const ScoreProgress& progress) override {
    progress_.tell(static_cast<double>(progress.records_written), total_);
  }
  void on_note(const std::string& text) override { told_.notes.push_back(text); }
  void on_warning(const std::string& text) override { told_.warnings.push_back(text); }

 private:
  Told& told_;
  Progress progress_;
  double total_;
};

ScoreChoices choices_of(const Rcpp::List& list) {
  ScoreChoices choices;
  for (const std::string& name : Rcpp::as<std::vector<std::string>>(list["modes"])) {
    choices.modes.push_back(parse_score_mode(name));
  }
  choices.window_bases = static_cast<std::int64_t>(Rcpp::as<double>(list["window"]));
  choices.edge = parse_window_edge(Rcpp::as<std::string>(list["edge"]));
  choices.strand = parse_strand_choice(Rcpp::as<std::string>(list["strand"]));
  choices.check_ref = parse_check_ref(Rcpp::as<std::string>(list["checkRef"]));
  choices.batch_windows = static_cast<std::int64_t>(Rcpp::as<double>(list["batch"]));
  return choices;
}

// Columns contig, position (from 0), ref, one a variant; counts says how many of `alt` each has.
std::vector<Variant> variants_of(const Rcpp::List& columns) {
  const Rcpp::CharacterVector contig = columns["contig"];
  const Rcpp::NumericVector position = columns["position"];
  const Rcpp::CharacterVector ref = columns["ref"];
  const Rcpp::IntegerVector counts = columns["counts"];
  const Rcpp::CharacterVector alt = columns["alt"];
  std::vector<Variant> variants(static_cast<std::size_t>(contig.size()));
  R_xlen_t next = 0;
  for (R_xlen_t i = 0; i < contig.size(); ++i) {
    Variant& variant = variants[static_cast<std::size_t>(i)];
    variant.contig = Rcpp::as<std::string>(contig[i]);
    variant.position = static_cast<std::int64_t>(position[i]);
    variant.ref = Rcpp::as<std::string>(ref[i]);
    for (int of = 0; of < counts[i]; ++of) {
      variant.alts.push_back(Rcpp::as<std::string>(alt[next++]));
    }
  }
  return variants;
}

Rcpp::List list_of(const VariantScores& scores) {
  Rcpp::List values;
  const auto alleles = static_cast<std::size_t>(scores.alleles);
  for (std::size_t mode = 0; mode < scores.modes.size(); ++mode) {
    Rcpp::NumericVector of_mode(static_cast<R_xlen_t>(alleles));
    for (std::size_t i = 0; i < alleles; ++i) {
      of_mode[static_cast<R_xlen_t>(i)] = number(scores.values[mode * alleles + i]);
    }
    values[std::string(score_mode_name(scores.modes[mode]))] = of_mode;
  }
  Rcpp::CharacterVector reasons(static_cast<R_xlen_t>(alleles));
  for (std::size_t i = 0; i < alleles; ++i) {
    const auto at = static_cast<R_xlen_t>(i);
    if (scores.reasons[i].empty()) {
      reasons[at] = NA_STRING;
    } else {
      reasons[at] = scores.reasons[i];
    }
  }
  return Rcpp::List::create(Rcpp::_["scores"] = values, Rcpp::_["reasons"] = reasons,
                            Rcpp::_["window"] = static_cast<double>(scores.window_bases));
}

}  // namespace

}  // namespace ssmgen::r

// [[Rcpp::export]]
Rcpp::List score_variants(SEXP model, const Rcpp::List& variants, const Rcpp::List& genome,
                          const Rcpp::List& choices, SEXP progress) {
  using namespace ssmgen;
  return r::guarded([&](r::Told& told) {
    const Model& loaded = r::model_of(model);
    const ScoreChoices chosen = r::choices_of(choices);
    const std::unique_ptr<Genome> opened = r::open_genome(genome, told);
    const std::vector<Variant> given = r::variants_of(variants);
    r::Observer observer(told, progress, static_cast<double>(given.size()));
    return r::list_of(score_variants(loaded, given, *opened, chosen, observer));
  });
}
