#include "io/write_pool.hpp"

#include <utility>

namespace ssmgen::io {

WritePool::WritePool(int threads) {
  for (int i = 0; threads > 1 && i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WritePool::~WritePool() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WritePool::submit(std::function<void()> job) {
  if (threads_.empty()) {
    job();
    return;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.size() < 2 * threads_.size() || failure_; });
  rethrow_locked();
  queue_.push_back(std::move(job));
  lock.unlock();
  changed_.notify_all();
}

void WritePool::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (queue_.empty() && running_ == 0) || failure_; });
  rethrow_locked();
}

void WritePool::rethrow_locked() {
  if (failure_) std::rethrow_exception(failure_);
}

void WritePool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stops_ || !queue_.empty(); });
    if (stops_) return;
    const std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --running_;
    if (failure && !failure_) {
      failure_ = failure;
      queue_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace ssmgen::io
