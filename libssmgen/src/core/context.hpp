#pragma once
// The first argument of whatever computes.

#include <cstdint>
#include <span>

#include "core/workspace.hpp"
#include "kernels/backend.hpp"

namespace ssmgen::core {

/// A back end, one of its streams and the scratch memory of the work on it. One context serves
/// one caller at a time; nothing is thread-local.
class Context {
 public:
  explicit Context(kernels::Backend& backend, bool is_urgent = false)
      : backend_(&backend), stream_(backend.create_stream(is_urgent)), workspace_(backend) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { backend_->destroy_stream(stream_); }

  kernels::Backend& backend() const noexcept { return *backend_; }
  kernels::Stream stream() const noexcept { return stream_; }
  Workspace& workspace() noexcept { return workspace_; }
  const Workspace& workspace() const noexcept { return workspace_; }
  void synchronize() const { backend_->synchronize(stream_); }

 private:
  kernels::Backend* backend_;
  kernels::Stream stream_;
  Workspace workspace_;
};

/// Values of the host in the context's workspace, (values.size()) i64.
inline TensorView take_copy(Context& ctx, std::span<const std::int64_t> values) {
  const TensorView copy = ctx.workspace().take(ElementType::i64, {std::ssize(values)});
  ctx.backend().copy_from_host(ctx.stream(), copy.data(), values.data(), copy.bytes());
  return copy;
}

}  // namespace ssmgen::core
