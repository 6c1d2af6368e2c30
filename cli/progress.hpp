#pragma once
// What a long run says on stderr.

#include <chrono>
#include <ssmgen/embed.hpp>
#include <ssmgen/score.hpp>
#include <string>

namespace ssmgen::cli {

/// A line that is redrawn on a terminal, one line a minute elsewhere, nothing when quiet; warnings
/// always.
class ProgressLine final : public ScoreObserver, public EmbedObserver {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine() override;

  void on_progress(const ScoreProgress& progress) override;
  void on_progress(const EmbedProgress& progress) override;
  void on_plan(const EmbedPlan& plan) override;
  void on_pass(const PassPlan& pass) override;
  void on_note(const std::string& text) override;
  void on_warning(const std::string& text) override;

  /// Takes the line off the terminal, so that something else may be printed.
  void clear();

 private:
  std::string line(const ScoreProgress& progress) const;
  std::string line(const EmbedProgress& progress) const;
  template <class Progress>
  void show(const Progress& progress);

  bool quiet_;
  bool on_terminal_;
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace ssmgen::cli
