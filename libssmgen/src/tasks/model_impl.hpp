#pragma once

#include <memory>
#include <optional>
#include <ssmgen/model.hpp>

#include "core/context.hpp"
#include "genome/tokens.hpp"
#include "models/checkpoint.hpp"
#include "models/network.hpp"
#include "stream/runner.hpp"

namespace ssmgen {

/// What the tasks use of a loaded model. Members are in the order they depend on each other.
struct Model::Impl {
  ModelOptions options;
  ModelInfo info;
  std::shared_ptr<kernels::Backend> backend;
  std::optional<models::Checkpoint> checkpoint;  ///< none for random weights
  std::string random_config;                     ///< what random weights were made from
  std::optional<genome::DnaVocabulary> vocabulary;
  std::unique_ptr<models::Network> network;
  std::unique_ptr<core::Context> context;

  /// @throws InvalidArgument saying why the model has no DNA tokens.
  const genome::DnaVocabulary& dna() const;
  std::unique_ptr<stream::Runner> runner() const;
  stream::RunnerOptions runner_options() const;
};

/// Tells `observer` how sequences of up to `length` bases run, if there is something to tell.
/// @throws DeviceError when memory is short, before anything is read or written.
template <class Observer>
void tell_pass(const Model& model, std::int64_t length, bool predicts_all, bool is_dry_run,
               Observer& observer) {
  if (length < 1) return;
  const PassPlan pass = model.plan(length, predicts_all, is_dry_run);
  if (is_dry_run || pass.chunk_bases < length) observer.on_pass(pass);
}

}  // namespace ssmgen
