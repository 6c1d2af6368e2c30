#include "stream/chunk_mover.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "base/scratch_file.hpp"

namespace ssmgen::stream {
namespace {

class StreamOwner {
 public:
  explicit StreamOwner(kernels::Backend& backend)
      : backend_(backend), stream_(backend.create_stream()) {}
  StreamOwner(const StreamOwner&) = delete;
  StreamOwner& operator=(const StreamOwner&) = delete;
  ~StreamOwner() { backend_.destroy_stream(stream_); }

  kernels::Stream get() const noexcept { return stream_; }

 private:
  kernels::Backend& backend_;
  kernels::Stream stream_;
};

void hold_back(const ChunkSlot& slot, kernels::Stream stream) {
  if (slot.used) slot.used->hold_back(stream);
  if (slot.filled) slot.filled->hold_back(stream);
}

class HostMover final : public ChunkMover {
 public:
  HostMover(kernels::Backend& backend, std::int64_t bytes)
      : backend_(backend),
        memory_(backend, bytes, core::MemoryKind::pinned),
        in_(backend),
        out_(backend) {}
  ~HostMover() override {
    try {
      backend_.synchronize(in_.get());
      backend_.synchronize(out_.get());
    } catch (...) {  // NOLINT(bugprone-empty-catch): a failed device has nothing under way
    }
  }

  void begin_pass() override { Mark(backend_, out_.get()).hold_back(in_.get()); }

  void read(ChunkSlot& slot, std::int64_t offset, std::int64_t bytes) override {
    if (slot.used) slot.used->hold_back(in_.get());
    backend_.copy_from_host(in_.get(), slot.rows.data(), at(offset), bytes);
    slot.filled = std::make_unique<Mark>(backend_, in_.get());
  }

  void write(ChunkSlot& slot, std::int64_t offset, std::int64_t bytes) override {
    slot.used->hold_back(out_.get());
    backend_.copy_to_host(out_.get(), at(offset), slot.rows.data(), bytes);
    slot.used = std::make_unique<Mark>(backend_, out_.get());
  }

  void await(ChunkSlot& slot, kernels::Stream stream) override { hold_back(slot, stream); }

 private:
  char* at(std::int64_t offset) const { return static_cast<char*>(memory_.data()) + offset; }

  kernels::Backend& backend_;
  core::Buffer memory_;
  StreamOwner in_;
  StreamOwner out_;
};

class ScratchMover final : public ChunkMover {
 public:
  ScratchMover(kernels::Backend& backend, const std::string& folder)
      : backend_(backend), file_(folder), stream_(backend), thread_([this] { work(); }) {}
  ~ScratchMover() override {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // Moves are made in order.
  void begin_pass() override {}
  void read(ChunkSlot& slot, std::int64_t offset, std::int64_t bytes) override {
    add({&slot, offset, bytes, true});
  }
  void write(ChunkSlot& slot, std::int64_t offset, std::int64_t bytes) override {
    add({&slot, offset, bytes, false});
  }

  void await(ChunkSlot& slot, kernels::Stream stream) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return slot.moves == 0 || error_; });
    if (error_) std::rethrow_exception(error_);
    hold_back(slot, stream);
  }

 private:
  struct Move {
    ChunkSlot* slot;
    std::int64_t offset;
    std::int64_t bytes;
    bool is_read;
  };

  void add(const Move& move) {
    {
      const std::lock_guard lock(mutex_);
      ++move.slot->moves;
      moves_.push_back(move);
    }
    changed_.notify_all();
  }

  void work() {
    while (true) {
      Move move{};
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !moves_.empty() || is_over_; });
        if (is_over_) return;
        move = moves_.front();
        moves_.pop_front();
      }
      try {
        make(move);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        error_ = std::current_exception();
        is_over_ = true;
      }
      {
        const std::lock_guard lock(mutex_);
        --move.slot->moves;
      }
      changed_.notify_all();
    }
  }

  void make(const Move& move) {
    const ChunkSlot& slot = *move.slot;
    void* bytes = slot.staging.data() != nullptr ? slot.staging.data() : slot.rows.data();
    const bool is_staged = bytes != slot.rows.data();
    if (slot.used) slot.used->hold_back(stream_.get());
    if (move.is_read) {
      file_.read(move.offset, bytes, move.bytes);
      if (is_staged) backend_.copy_from_host(stream_.get(), slot.rows.data(), bytes, move.bytes);
      backend_.synchronize(stream_.get());
    } else {
      if (is_staged) backend_.copy_to_host(stream_.get(), bytes, slot.rows.data(), move.bytes);
      backend_.synchronize(stream_.get());
      file_.write(move.offset, bytes, move.bytes);
    }
  }

  kernels::Backend& backend_;
  base::ScratchFile file_;
  StreamOwner stream_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Move> moves_;
  std::exception_ptr error_;
  bool is_over_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace

std::unique_ptr<ChunkMover> make_host_mover(kernels::Backend& backend, std::int64_t bytes) {
  return std::make_unique<HostMover>(backend, bytes);
}

std::unique_ptr<ChunkMover> make_scratch_mover(kernels::Backend& backend,
                                               const std::string& folder) {
  return std::make_unique<ScratchMover>(backend, folder);
}

}  // namespace ssmgen::stream
