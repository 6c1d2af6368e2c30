#include "kernels/cpu/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <hwy/cache_control.h>
#include <mutex>
#include <pthread.h>
#include <sched.h>
#include <ssmgen/errors.hpp>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ssmgen::kernels::cpu {
namespace {

constexpr int max_threads = 4096;
// A kernel call takes about 50 us and the next one follows at once: spinning that long saves the
// wake-up, and longer would take a core from others.
constexpr auto spin_time = std::chrono::microseconds(50);

// The state word: [generation of the job | open bit | workers inside the job].
constexpr std::uint64_t inside_mask = (1u << 16) - 1;
constexpr std::uint64_t open_bit = 1u << 16;
constexpr std::uint64_t generation_one = 1u << 17;

template <class Ready>
bool spin_until(Ready ready) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return true;
      hwy::Pause();
    }
  } while (std::chrono::steady_clock::now() - start < spin_time);
  return false;
}

/// Threads started inside its scope leave every signal to the host program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

int available_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) return std::max(1, CPU_COUNT(&mask));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// What caller and workers share. It is one heap object so that a fork child can leave it behind:
/// its locks may be held, and its condition variable waited on, by threads that do not exist there.
struct ThreadPool::Shared {
  pid_t owner = getpid();
  std::atomic<bool> busy{false};
  std::atomic<std::uint64_t> state{0};
  std::atomic<std::int64_t> next{0};
  std::int64_t count = 0;
  const std::function<void(std::int64_t)>* body = nullptr;
  std::mutex error_mutex;
  std::exception_ptr error;

  std::mutex sleep_mutex;
  std::condition_variable wake;
  std::atomic<int> sleepers{0};
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;

  void run_indices() {
    try {
      for (std::int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) (*body)(i);
    } catch (...) {
      const std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
      next.store(count);
    }
  }

  /// Opens a job, works on it, and returns when the last worker has left it.
  void run(std::int64_t job_count, const std::function<void(std::int64_t)>& job_body) {
    count = job_count;
    body = &job_body;
    error = nullptr;
    next.store(0);
    // Only the caller changes the generation, and no worker is inside between two jobs.
    state.store((state.load() & ~(open_bit | inside_mask)) + generation_one + open_bit);
    if (sleepers.load() > 0) {
      // Taking the lock once means that a worker is either before its last look at the state,
      // and will see the job, or already waiting, and will be woken.
      { const std::lock_guard lock(sleep_mutex); }
      const auto helpers = std::min<std::int64_t>(count - 1, std::ssize(workers));
      for (std::int64_t i = 0; i < helpers; ++i) wake.notify_one();
    }
    run_indices();
    state.fetch_and(~open_bit);
    const auto all_left = [this] { return (state.load() & inside_mask) == 0; };
    while (!spin_until(all_left)) std::this_thread::yield();
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
  }

  void work() {
    std::uint64_t done_generation = 0;
    while (true) {
      const auto has_news = [&] {
        const std::uint64_t seen = state.load();
        const bool new_job = (seen & open_bit) != 0 && seen / generation_one != done_generation;
        return new_job || stopping.load();
      };
      if (!spin_until(has_news)) {
        std::unique_lock lock(sleep_mutex);
        sleepers.fetch_add(1);
        wake.wait(lock, has_news);
        sleepers.fetch_sub(1);
      }
      if (stopping.load()) return;
      std::uint64_t seen = state.load();
      while ((seen & open_bit) != 0 && !state.compare_exchange_weak(seen, seen + 1)) {
      }
      if ((seen & open_bit) == 0) continue;  // the others were done before this thread awoke
      done_generation = seen / generation_one;
      run_indices();
      state.fetch_sub(1);
    }
  }

  void stop() {
    {
      const std::lock_guard lock(sleep_mutex);
      stopping.store(true);
    }
    wake.notify_all();
    for (std::thread& worker : workers) worker.join();
    workers.clear();
  }
};

ThreadPool::ThreadPool(int threads) : shared_(std::make_unique<Shared>()) {
  if (threads < 0 || threads > max_threads) {
    throw InvalidArgument(
        fmt::format("threads must be 0 (one a core) or 1 to {}, not {}", max_threads, threads));
  }
  threads_ = threads == 0 ? available_cpus() : threads;
  const SignalsBlocked blocked;
  try {
    for (int i = 1; i < threads_; ++i) {
      shared_->workers.emplace_back([shared = shared_.get()] { shared->work(); });
    }
  } catch (const std::system_error& error) {
    const auto started = shared_->workers.size() + 1;
    shared_->stop();
    throw DeviceError(
        fmt::format("cpu: started {} of {} threads, then the system refused ({}): ask "
                    "for fewer threads",
                    started, threads_, error.what()));
  }
}

ThreadPool::~ThreadPool() {
  if (is_fork_child()) {
    static_cast<void>(shared_.release());  // see Shared
    return;
  }
  shared_->stop();
}

bool ThreadPool::is_fork_child() const noexcept {
  return getpid() != shared_->owner;
}

void ThreadPool::parallel_for(std::int64_t count, const std::function<void(std::int64_t)>& body) {
  const bool alone = count <= 1 || threads_ == 1 || is_fork_child() || shared_->busy.exchange(true);
  if (alone) {
    for (std::int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  struct Release {
    std::atomic<bool>& busy;
    ~Release() { busy.store(false); }
  } release{shared_->busy};
  shared_->run(count, body);
}

}  // namespace ssmgen::kernels::cpu
