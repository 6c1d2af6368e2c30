#pragma once
// What the files of the package share: a model that R holds, errors as values, progress.

#include <Rcpp.h>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <ssmgen/errors.hpp>
#include <ssmgen/genome.hpp>
#include <ssmgen/process_model.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ssmgen::r {

/// The model behind R's pointer. @throws InvalidArgument when it is of another session
const Model& model_of(SEXP pointer);

/// What a call has to say beside its result.
struct Told {
  std::vector<std::string> warnings;
  std::vector<std::string> notes;

  /// For what takes a callback.
  auto on_warning() {
    return [this](const std::string& text) { warnings.push_back(text); };
  }
};

Rcpp::List answer(const Told& told, const char* key, SEXP value);

/// list(value, warnings, notes) of what `body(told)` gives, or list(error, message, ...) of the
/// library's errors: R makes conditions of them, with no jump through C++. What R itself throws,
/// an interrupt included, goes on as Rcpp hands it on.
template <class Body>
Rcpp::List guarded(Body&& body) {
  Told told;
  const auto failed = [&](const char* kind, const char* message) {
    Rcpp::List result = answer(told, "message", Rcpp::wrap(std::string(message)));
    result["error"] = std::string(kind);
    return result;
  };
  try {
    const Rcpp::RObject value = body(told);
    return answer(told, "value", value);
  } catch (const InvalidArgument& error) {
    return failed("ssmgen_invalid_argument", error.what());
  } catch (const FormatError& error) {
    return failed("ssmgen_format_error", error.what());
  } catch (const Error& error) {
    return failed("ssmgen_device_error", error.what());
  } catch (const std::bad_alloc&) {
    return failed("ssmgen_device_error", "this machine has not enough memory for that");
  }
}

/// Tells R's function how far a call is and lets an interrupt through. @throws what R throws
class Progress {
 public:
  /// `callback`: function(done, total), or NULL
  explicit Progress(SEXP callback);
  void tell(double done, double total);

 private:
  Rcpp::RObject callback_;
  std::chrono::steady_clock::time_point last_;
};

/// A genome as R/genome.R describes it: a file, or sequences that an R function hands out.
std::unique_ptr<Genome> open_genome(const Rcpp::List& source, Told& told);

/// Regions of a data frame's columns, begin from 0.
std::vector<GenomeRegion> regions_of(const Rcpp::List& columns);

/// A float as R's number; NA for NaN.
inline double number(float value) {
  return value == value ? static_cast<double>(value) : NA_REAL;
}

}  // namespace ssmgen::r
