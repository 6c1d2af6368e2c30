#include "tasks/window_buckets.hpp"

#include <algorithm>

namespace ssmgen::tasks {
namespace {

// Letters that wait in batches which are not full, at the most: what bounds memory where every
// record has a length of its own.
constexpr std::int64_t most_waiting_bases = std::int64_t{4} << 20;

}  // namespace

WindowBuckets::WindowBuckets(BatchOf batch_of, Run run)
    : batch_of_(std::move(batch_of)), run_(std::move(run)) {}

void WindowBuckets::add(SequenceWindow window) {
  const auto length = static_cast<std::int64_t>(window.letters.size());
  waiting_bases_ += length;
  std::vector<SequenceWindow>& bucket = by_length_[length];
  bucket.push_back(std::move(window));
  if (static_cast<std::int64_t>(bucket.size()) >= batch_of_(length)) {
    run(length);
  } else if (waiting_bases_ > most_waiting_bases) {
    const auto bases = [](const auto& entry) {
      return entry.first * static_cast<std::int64_t>(entry.second.size());
    };
    run(std::max_element(by_length_.begin(), by_length_.end(), [&](const auto& a, const auto& b) {
          return bases(a) < bases(b);
        })->first);
  }
}

void WindowBuckets::finish() {
  while (!by_length_.empty()) run(by_length_.begin()->first);
}

void WindowBuckets::run(std::int64_t length) {
  const auto found = by_length_.find(length);
  std::vector<SequenceWindow> windows = std::move(found->second);
  by_length_.erase(found);
  waiting_bases_ -= length * static_cast<std::int64_t>(windows.size());
  run_(windows);
}

}  // namespace ssmgen::tasks
