#pragma once
// Scratch memory of a context: taken like a stack, kept between calls.

#include <cstdint>
#include <vector>

#include "core/buffer.hpp"
#include "core/tensor.hpp"

namespace ssmgen::core {

/// Tensors taken inside a Scope are given back together when it ends; the memory stays for the
/// next. A context's first pass sizes it, later passes of the same shape allocate nothing.
class Workspace {
 public:
  explicit Workspace(kernels::Backend& backend) : backend_(&backend) {}

  /// Gives back whatever was taken after it was made.
  class Scope {
   public:
    explicit Scope(Workspace& workspace)
        : workspace_(&workspace), block_(workspace.block_), used_(workspace.used_) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      workspace_->block_ = block_;
      workspace_->used_ = used_;
    }

   private:
    Workspace* workspace_;
    std::size_t block_;
    std::int64_t used_;
  };

  /// Not cleared; valid until the innermost Scope ends. @throws DeviceError when memory is short.
  TensorView take(ElementType type, const Shape& shape);

  /// What take() uses of it.
  static std::int64_t taken_bytes(ElementType type, const Shape& shape) noexcept;

  /// Makes so many bytes one piece, so that tensors of that sum fit into it and nothing more is
  /// held; for when nothing is taken. @throws DeviceError when memory is short.
  void reserve(std::int64_t bytes);

  /// All memory held, used or not.
  std::int64_t workspace_bytes() const noexcept { return held_; }

 private:
  kernels::Backend* backend_;
  std::vector<Buffer> blocks_;
  std::size_t block_ = 0;  // the block that is being filled
  std::int64_t used_ = 0;  // bytes taken of it
  std::int64_t held_ = 0;
};

}  // namespace ssmgen::core
