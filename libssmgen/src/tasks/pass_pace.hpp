#pragma once
// How much goes through the model at once, so that whoever waits for it is heard.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ssmgen::tasks {

/// Keeps a pass of the model near `pass_seconds`, whatever the model's speed: between two passes
/// progress is told and a run can be stopped.
class PassPace {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr double pass_seconds = 0.4;
  /// Of the first pass, whose speed nobody knows.
  static constexpr std::int64_t first_bases = 4096;
  /// Below this a pass is dearer by the base, and hardly shorter.
  static constexpr std::int64_t least_bases = 512;

  /// Windows of so many bases for the next pass: at least one, at the most `most`.
  std::int64_t windows(std::int64_t bases, std::int64_t most) const {
    return std::clamp<std::int64_t>(bases_ / std::max<std::int64_t>(1, bases), 1, most);
  }

  /// A pass of so many bases that took from `start` until now.
  void done(std::int64_t bases, Clock::time_point start) {
    done(bases, std::chrono::duration<double>(Clock::now() - start).count());
  }

  void done(std::int64_t bases, double seconds) {
    const double next = static_cast<double>(bases) * pass_seconds / std::max(seconds, 1e-6);
    // No more than fourfold at once: a pass of few bases says little of one of many.
    const double most = 4.0 * static_cast<double>(std::max(bases, bases_));
    bases_ = std::max(least_bases, static_cast<std::int64_t>(std::min(next, most)));
  }

 private:
  std::int64_t bases_ = first_bases;
};

}  // namespace ssmgen::tasks
