#pragma once
// The threads of the CPU back end. Every kernel runs on them, oneDNN's products too, so one number
// says how many threads compute.

#include <cstdint>
#include <functional>
#include <memory>

namespace ssmgen::kernels::cpu {

/// CPUs this process may run on (its affinity mask), at least 1.
int available_cpus();

/// A fixed set of threads that share the indices of one loop at a time. The calling thread works
/// too, so a pool of one starts none.
class ThreadPool {
 public:
  /// `threads` 0 means available_cpus(). @throws InvalidArgument when negative or above 4096,
  /// DeviceError when the system refuses a thread.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  /// Threads that compute, the caller's among them.
  int threads() const noexcept { return threads_; }

  /// Calls body(0) ... body(count - 1), each once, in no order, and returns when all are done.
  /// The first exception of a body stops the handing out of indices and is thrown here.
  /// Runs on the caller alone when the pool is already at work (a call from within a body or from
  /// a second thread) and in a child process after fork(), where the threads do not exist.
  void parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& body);

 private:
  struct Shared;

  bool is_fork_child() const noexcept;

  int threads_ = 1;
  std::unique_ptr<Shared> shared_;
};

}  // namespace ssmgen::kernels::cpu
