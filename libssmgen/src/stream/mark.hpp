#pragma once
// A point in a stream's work that other streams wait for.

#include "kernels/backend.hpp"

namespace ssmgen::stream {

/// Behind all that a stream got before it was made.
class Mark {
 public:
  Mark(kernels::Backend& backend, kernels::Stream stream)
      : backend_(backend), stream_(stream), event_(backend.record(stream)) {}
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  ~Mark() { backend_.release(event_); }

  /// What `later` gets from now on starts after that.
  void hold_back(kernels::Stream later) const {
    if (later != stream_) backend_.wait(later, event_);
  }

 private:
  kernels::Backend& backend_;
  kernels::Stream stream_;
  kernels::Event event_;
};

}  // namespace ssmgen::stream
