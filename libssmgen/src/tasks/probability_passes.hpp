#pragma once
// Windows through the model, one number a base made of its predictions.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "genome/tokens.hpp"
#include "tasks/embed_settings.hpp"
#include "tasks/model_impl.hpp"
#include "tasks/pass_pace.hpp"
#include "tasks/window_buckets.hpp"

namespace ssmgen::tasks {

/// Of a model that sees both sides of a base, its prediction is that at the base itself; of a
/// causal one that at the base before, so the first base of a window has none (NaN).
class ProbabilityPasses {
 public:
  /// Takes the values of the part of a window that is kept, from tile.keep_begin on.
  using Taker = std::function<void(const SequenceWindow&, std::vector<float>)>;

  /// @param settings strand: plus, minus or mean; of no meaning for reverse-complement equivariant
  ///   models, whose predictions are made of both
  ProbabilityPasses(const Model::Impl& model, const ResolvedEmbed& settings, TrackScore score,
                    Taker taker);

  void add(SequenceWindow window) { buckets_.add(std::move(window)); }
  void finish() { buckets_.finish(); }

  std::int64_t windows_run() const noexcept { return windows_run_; }

 private:
  std::int64_t batch_of(std::int64_t length) const;
  void run(std::vector<SequenceWindow>& windows);
  /// Values of all bases of the windows, at the plus strand's positions.
  std::vector<float> run_strand(const std::vector<SequenceWindow>& windows, bool minus);
  float value(const float* log_probabilities, char base) const;

  const ResolvedEmbed& settings_;
  TrackScore score_;
  Taker taker_;
  genome::DnaVocabulary vocabulary_;
  genome::DnaEncoder encoder_;
  bool is_causal_;
  std::unique_ptr<stream::Runner> runner_;
  PassPace pace_;
  WindowBuckets buckets_;
  std::int64_t windows_run_ = 0;
};

}  // namespace ssmgen::tasks
