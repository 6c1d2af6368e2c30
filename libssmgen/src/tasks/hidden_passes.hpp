#pragma once
// Windows through the model, their hidden states handed on strand by strand made one.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "genome/tokens.hpp"
#include "tasks/embed_settings.hpp"
#include "tasks/model_impl.hpp"
#include "tasks/pass_pace.hpp"
#include "tasks/strand_join.hpp"
#include "tasks/window_buckets.hpp"

namespace ssmgen::tasks {

/// Takes what is kept of each window.
class HiddenTaker {
 public:
  virtual ~HiddenTaker() = default;
  /// Rows of the record's bases from `position` on, inside the part of the window that is kept;
  /// of one window and layer they come in order. `layer` is the index in ResolvedEmbed::layers.
  virtual void take(const SequenceWindow& window, std::int64_t layer, std::int64_t position,
                    std::span<const float> values) = 0;
  /// Every row of the window was handed over.
  virtual void done(const SequenceWindow& window) = 0;
};

class HiddenPasses {
 public:
  HiddenPasses(const Model::Impl& model, const ResolvedEmbed& settings, HiddenTaker& taker);

  void add(SequenceWindow window) { buckets_.add(std::move(window)); }
  void finish() { buckets_.finish(); }

  std::int64_t windows_run() const noexcept { return windows_run_; }

 private:
  std::int64_t batch_of(std::int64_t length) const;
  void run(std::vector<SequenceWindow>& windows);
  void run_strand(const std::vector<SequenceWindow>& windows, bool minus);
  void put_aside_reversed(const stream::HiddenRows& rows, std::int64_t layer, std::int64_t length);
  void hand_on(const std::vector<SequenceWindow>& windows, std::int64_t layer,
               std::int64_t first_row, std::span<const float> values);

  const ResolvedEmbed& settings_;
  HiddenTaker& taker_;
  genome::DnaEncoder encoder_;
  std::unique_ptr<stream::Runner> runner_;
  StrandJoin join_;
  PassPace pace_;
  WindowBuckets buckets_;
  std::vector<std::int32_t> ids_;
  std::vector<float> reversed_;
  std::int64_t windows_run_ = 0;
};

}  // namespace ssmgen::tasks
