#pragma once
// One pool of htslib threads for every file a run has open.

#include <memory>

namespace ssmgen::io {

/// The threads that compress and decompress blocks. Hand the same one to every reader and writer;
/// it must outlive them. Thread-safe once constructed.
class HtsThreads {
 public:
  /// @param threads worker threads; with fewer than 2 no pool is made and each file does its own
  ///   work in the thread that reads or writes it
  /// @throws InvalidArgument for a negative number, DeviceError when threads cannot be started
  explicit HtsThreads(int threads);
  ~HtsThreads();
  HtsThreads(const HtsThreads&) = delete;
  HtsThreads& operator=(const HtsThreads&) = delete;

  /// Worker threads in the pool, 0 when there is none.
  int count() const;

  /// For the files of this folder.
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
