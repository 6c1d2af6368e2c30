#pragma once
// Threads that write files beside the one that makes what is written. Internal to this folder.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ssmgen::io {

/// Runs jobs in threads; with fewer than 2, in the caller's own. What a job throws comes out of the
/// next submit() or wait().
class WritePool {
 public:
  explicit WritePool(int threads);
  /// Waits for the jobs that run and drops those that have not begun.
  ~WritePool();
  WritePool(const WritePool&) = delete;
  WritePool& operator=(const WritePool&) = delete;

  /// Waits while so many jobs are in the queue that memory would grow.
  void submit(std::function<void()> job);
  /// Waits for every job.
  void wait();

 private:
  void work();
  void rethrow_locked();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::size_t running_ = 0;
  bool stops_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

}  // namespace ssmgen::io
