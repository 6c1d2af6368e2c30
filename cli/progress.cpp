#include "cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <unistd.h>

#include "cli/common_options.hpp"

namespace ssmgen::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto terminal_interval = std::chrono::milliseconds(200);
constexpr auto log_interval = std::chrono::minutes(1);
constexpr int bar_width = 24;

std::string clock_text(double seconds) {
  const auto total = std::lround(seconds);
  return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

std::string bar(double done, const std::string& text, double seconds) {
  const auto filled = static_cast<std::size_t>(std::min(1.0, done) * bar_width);
  std::string line =
      fmt::format("[{:<{}}] {:3.0f} %  {}", std::string(filled, '='), bar_width, done * 100, text);
  if (done > 0 && done < 1) {
    line += fmt::format(", {} left", clock_text(seconds * (1 - done) / done));
  }
  return line;
}

}  // namespace

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet), on_terminal_(isatty(STDERR_FILENO) == 1), last_(Clock::now()) {}

ProgressLine::~ProgressLine() {
  clear();
}

std::string ProgressLine::line(const ScoreProgress& progress) const {
  const double rate =
      progress.seconds > 0 ? static_cast<double>(progress.records_written) / progress.seconds : 0;
  std::string text = fmt::format(
      "{} records, {}/s", with_commas(progress.records_written),
      rate < 100 ? fmt::format("{:.1f}", rate) : with_commas(static_cast<std::int64_t>(rate)));
  if (progress.bytes_total <= 0 || progress.bytes_read <= 0 || progress.records_read <= 0) {
    return text;
  }
  // The file is read ahead of what is written.
  const double read =
      static_cast<double>(progress.bytes_read) / static_cast<double>(progress.bytes_total);
  const double done = std::min(1.0, read * static_cast<double>(progress.records_written) /
                                        static_cast<double>(progress.records_read));
  return bar(done, text, progress.seconds);
}

std::string ProgressLine::line(const EmbedProgress& progress) const {
  const double rate =
      progress.seconds > 0 ? static_cast<double>(progress.bases) / progress.seconds : 0;
  std::string text =
      fmt::format("{} records read, {} bases, {}/s", with_commas(progress.records),
                  with_commas(progress.bases), with_commas(static_cast<std::int64_t>(rate)));
  if (progress.bases_total <= 0) return text;
  return bar(static_cast<double>(progress.bases) / static_cast<double>(progress.bases_total), text,
             progress.seconds);
}

void ProgressLine::on_progress(const ScoreProgress& progress) {
  show(progress);
}

void ProgressLine::on_progress(const EmbedProgress& progress) {
  show(progress);
}

// What a run will read and write.
void ProgressLine::on_plan(const EmbedPlan& plan) {
  if (plan.records >= 0) {
    on_note(fmt::format("{}: {} records, {} bases, {} windows of up to {} bases", plan.input_kind,
                        with_commas(plan.records), with_commas(plan.bases),
                        with_commas(plan.windows), with_commas(plan.longest_window)));
  } else {
    on_note(fmt::format("{}: a stream, whose length is not known", plan.input_kind));
  }
  std::string shape;
  for (const std::int64_t size : plan.shape) {
    shape += (shape.empty() ? "" : " x ") + (size < 0 ? "?" : with_commas(size));
  }
  const std::string bytes =
      plan.output_bytes < 0 ? "" : ", about " + readable_bytes(plan.output_bytes);
  on_note(fmt::format("{}: {} of f32{}{}", plan.output_type, shape, bytes,
                      plan.files.empty() ? ", to standard output"
                                         : fmt::format(", to {}", fmt::join(plan.files, ", "))));
}

void ProgressLine::on_pass(const PassPlan& pass) {
  on_note("model: " + pass_text(pass));
}

template <class Progress>
void ProgressLine::show(const Progress& progress) {
  if (quiet_) return;
  const auto now = Clock::now();
  if (now - last_ <
      (on_terminal_ ? Clock::duration(terminal_interval) : Clock::duration(log_interval))) {
    return;
  }
  last_ = now;
  if (on_terminal_) {
    std::cerr << "\r\033[K" << line(progress) << std::flush;
    is_drawn_ = true;
  } else {
    std::cerr << "ssmgen: " << line(progress) << std::endl;
  }
}

void ProgressLine::clear() {
  if (is_drawn_) std::cerr << "\r\033[K" << std::flush;
  is_drawn_ = false;
}

void ProgressLine::on_note(const std::string& text) {
  if (quiet_) return;
  clear();
  std::cerr << "ssmgen: " << text << "\n";
}

void ProgressLine::on_warning(const std::string& text) {
  clear();
  std::cerr << "ssmgen: warning: " << text << "\n";
}

}  // namespace ssmgen::cli
