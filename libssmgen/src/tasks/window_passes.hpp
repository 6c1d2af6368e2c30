#pragma once
// The windows that go through the model: asked for by sites, shared by those that want the same
// one, run in batches formed across records.

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <ssmgen/genome.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "genome/tokens.hpp"
#include "tasks/model_impl.hpp"

namespace ssmgen::tasks {

/// A window of a contig as the model sees it. Equal keys are the same input.
struct WindowKey {
  std::int64_t contig = 0;
  std::int64_t start = 0;        ///< contig position of the window's first base; N outside
  std::int64_t edit_offset = 0;  ///< in the window, plus strand
  std::int64_t mask_bases = 0;   ///< so many positions from edit_offset are masked
  std::string replacement;       ///< bases put at edit_offset, as many as they replace
  bool minus_strand = false;     ///< the window's reverse complement is read

  bool operator==(const WindowKey&) const = default;
};

/// A run of positions whose base probabilities are read.
struct ReadRange {
  std::int64_t begin = 0;  ///< in the order the model reads: from the minus strand's 5' end there
  std::int64_t end = 0;
  std::int64_t first_row = 0;  ///< of log_probabilities
};

/// One window, before and after its pass.
struct WindowPass {
  WindowKey key;
  std::vector<ReadRange> reads;
  std::string letters;                   ///< what was read, before masking; after the pass
  std::vector<float> log_probabilities;  ///< (rows, 4): A, C, G, T of the strand that was read
  bool is_done = false;
};

/// A window's probabilities at a range of positions; valid once the pass is done.
struct PassRead {
  std::shared_ptr<const WindowPass> pass;
  std::int64_t begin = 0;
  std::int64_t first_row = 0;

  /// log p of base 0..3 (A, C, G, T of the strand read) at `position`.
  float log_probability(std::int64_t position, int base) const {
    return pass
        ->log_probabilities[static_cast<std::size_t>((first_row + position - begin) * 4 + base)];
  }
};

class WindowPasses {
 public:
  WindowPasses(const Model::Impl& model, Genome& genome, std::int64_t window_bases);

  /// The probabilities at [begin, end) of the window, now or after the next run().
  PassRead request(const WindowKey& key, std::int64_t begin, std::int64_t end);

  std::int64_t pending() const noexcept { return static_cast<std::int64_t>(pending_.size()); }
  std::int64_t windows_run() const noexcept { return windows_run_; }

  /// Runs all pending windows as one batch.
  void run();

 private:
  struct KeyHash {
    std::size_t operator()(const WindowKey& key) const noexcept;
  };
  void encode(WindowPass& pass, std::span<std::int32_t> ids);

  Genome& genome_;
  std::int64_t window_bases_;
  genome::DnaVocabulary vocabulary_;
  genome::DnaEncoder encoder_;
  std::unique_ptr<stream::Runner> runner_;
  std::unordered_map<WindowKey, std::shared_ptr<WindowPass>, KeyHash> recent_;
  std::deque<std::shared_ptr<WindowPass>> order_;  // of recent_, oldest first
  std::vector<std::shared_ptr<WindowPass>> pending_;
  std::vector<std::int32_t> ids_;
  std::int64_t windows_run_ = 0;
  std::int64_t held_bytes_ = 0;  // of the passes in order_ that are done
};

}  // namespace ssmgen::tasks
