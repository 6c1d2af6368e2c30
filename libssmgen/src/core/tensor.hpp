#pragma once
// Tensor = buffer + element type + shape; TensorView = the same, not owned, rows strided.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <ssmgen/dtype.hpp>
#include <string>

#include "core/buffer.hpp"
#include "kernels/backend.hpp"

namespace ssmgen::core {

/// What a tensor holds: the storage types of activations, and the integers of token ids and rows.
enum class ElementType : std::uint8_t { f32, bf16, i32, i64 };

constexpr ElementType element_type(Dtype dtype) noexcept {
  return dtype == Dtype::f32 ? ElementType::f32 : ElementType::bf16;
}
std::int64_t element_bytes(ElementType type) noexcept;

/// Up to three extents, outermost first: (rows, channels) or (batch, length, channels).
class Shape {
 public:
  static constexpr int max_rank = 3;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents);  // NOLINT(google-explicit-constructor)

  int rank() const noexcept { return rank_; }
  std::int64_t operator[](int axis) const noexcept {
    return extents_[static_cast<std::size_t>(axis)];
  }
  /// Product of the extents; 1 for rank 0.
  std::int64_t count() const noexcept;
  bool operator==(const Shape&) const = default;

 private:
  std::array<std::int64_t, max_rank> extents_{};
  int rank_ = 0;
};

/// "(2, 512, 128)".
std::string to_string(const Shape& shape);

/// Memory of a device seen as a tensor: the last axis is contiguous, the others have strides.
class TensorView {
 public:
  TensorView() = default;
  /// A dense view.
  TensorView(void* data, ElementType type, const Shape& shape);
  TensorView(void* data, ElementType type, const Shape& shape,
             const std::array<std::int64_t, Shape::max_rank>& strides);

  explicit operator bool() const noexcept { return data_ != nullptr; }
  void* data() const noexcept { return data_; }
  ElementType type() const noexcept { return type_; }
  const Shape& shape() const noexcept { return shape_; }
  /// Elements from one index of `axis` to the next.
  std::int64_t stride(int axis) const noexcept { return strides_[static_cast<std::size_t>(axis)]; }
  bool is_dense() const noexcept;
  std::int64_t bytes() const noexcept { return shape_.count() * element_bytes(type_); }

  template <class T>
  T* as() const noexcept {
    return static_cast<T*>(data_);
  }

  /// Channels [begin, end) of the last axis.
  TensorView channels(std::int64_t begin, std::int64_t end) const;
  /// Indices [begin, end) of the first axis.
  TensorView slice(std::int64_t begin, std::int64_t end) const;
  /// The same dense memory in another shape.
  TensorView reshape(const Shape& shape) const;

 private:
  void* data_ = nullptr;
  ElementType type_ = ElementType::f32;
  Shape shape_;
  std::array<std::int64_t, Shape::max_rank> strides_{};
};

/// A dense tensor that owns its memory; not cleared.
class Tensor {
 public:
  Tensor() = default;
  Tensor(kernels::Backend& backend, ElementType type, const Shape& shape)
      : buffer_(backend, shape.count() * element_bytes(type)), view_(buffer_.data(), type, shape) {}

  const TensorView& view() const noexcept { return view_; }
  operator const TensorView&() const noexcept {
    return view_;
  }  // NOLINT(google-explicit-constructor)
  explicit operator bool() const noexcept { return static_cast<bool>(view_); }

 private:
  Buffer buffer_;
  TensorView view_;
};

/// Host values on the device, as f32 or rounded to bf16.
Tensor upload(kernels::Backend& backend, std::span<const float> values, Dtype dtype,
              const Shape& shape);
Tensor upload(kernels::Backend& backend, std::span<const std::int32_t> values, const Shape& shape);

/// A dense device tensor of f32 or bf16 as host f32. Waits for the stream.
void download(kernels::Backend& backend, kernels::Stream stream, const TensorView& from,
              std::span<float> to);

}  // namespace ssmgen::core
