#include "core/tensor.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ssmgen/errors.hpp>
#include <vector>

namespace ssmgen::core {
namespace {

std::array<std::int64_t, Shape::max_rank> dense_strides(const Shape& shape) {
  std::array<std::int64_t, Shape::max_rank> strides{};
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

void check_count(std::int64_t values, const Shape& shape) {
  if (values != shape.count()) {
    throw InvalidArgument(
        fmt::format("{} values given for a tensor of shape {}", values, to_string(shape)));
  }
}

}  // namespace

std::int64_t element_bytes(ElementType type) noexcept {
  switch (type) {
    case ElementType::bf16:
      return 2;
    case ElementType::f32:
    case ElementType::i32:
      return 4;
    case ElementType::i64:
      return 8;
  }
  return 0;
}

Shape::Shape(std::initializer_list<std::int64_t> extents)
    : rank_(static_cast<int>(extents.size())) {
  if (extents.size() > static_cast<std::size_t>(max_rank)) {
    throw InvalidArgument(fmt::format("a shape has at most {} axes, not {}", max_rank, rank_));
  }
  if (std::any_of(extents.begin(), extents.end(), [](std::int64_t e) { return e < 0; })) {
    throw InvalidArgument(fmt::format("negative extent in shape ({})", fmt::join(extents, ", ")));
  }
  std::copy(extents.begin(), extents.end(), extents_.begin());
}

std::int64_t Shape::count() const noexcept {
  std::int64_t count = 1;
  for (int axis = 0; axis < rank_; ++axis) count *= (*this)[axis];
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    text += fmt::format("{}{}", axis == 0 ? "" : ", ", shape[axis]);
  }
  return text + ")";
}

TensorView::TensorView(void* data, ElementType type, const Shape& shape)
    : TensorView(data, type, shape, dense_strides(shape)) {}

TensorView::TensorView(void* data, ElementType type, const Shape& shape,
                       const std::array<std::int64_t, Shape::max_rank>& strides)
    : data_(data), type_(type), shape_(shape), strides_(strides) {}

bool TensorView::is_dense() const noexcept {
  return strides_ == dense_strides(shape_);
}

TensorView TensorView::channels(std::int64_t begin, std::int64_t end) const {
  const int last = shape_.rank() - 1;
  if (last < 1 || begin < 0 || begin > end || end > shape_[last]) {
    throw InvalidArgument(
        fmt::format("channels [{}, {}) of a tensor of shape {}", begin, end, to_string(shape_)));
  }
  const Shape shape =
      shape_.rank() == 2 ? Shape{shape_[0], end - begin} : Shape{shape_[0], shape_[1], end - begin};
  return {static_cast<char*>(data_) + begin * element_bytes(type_), type_, shape, strides_};
}

TensorView TensorView::slice(std::int64_t begin, std::int64_t end) const {
  if (shape_.rank() < 1 || begin < 0 || begin > end || end > shape_[0]) {
    throw InvalidArgument(
        fmt::format("indices [{}, {}) of a tensor of shape {}", begin, end, to_string(shape_)));
  }
  Shape shape{end - begin};
  if (shape_.rank() == 2) shape = {end - begin, shape_[1]};
  if (shape_.rank() == 3) shape = {end - begin, shape_[1], shape_[2]};
  return {static_cast<char*>(data_) + begin * stride(0) * element_bytes(type_), type_, shape,
          strides_};
}

TensorView TensorView::reshape(const Shape& shape) const {
  if (!is_dense() || shape.count() != shape_.count()) {
    throw InvalidArgument(fmt::format("a {}tensor of shape {} cannot be seen as {}",
                                      is_dense() ? "" : "strided ", to_string(shape_),
                                      to_string(shape)));
  }
  return {data_, type_, shape};
}

Tensor upload(kernels::Backend& backend, std::span<const float> values, Dtype dtype,
              const Shape& shape) {
  check_count(static_cast<std::int64_t>(values.size()), shape);
  Tensor tensor(backend, element_type(dtype), shape);
  if (dtype == Dtype::f32) {
    backend.copy_from_host(nullptr, tensor.view().data(), values.data(), tensor.view().bytes());
  } else {
    std::vector<kernels::bfloat16> rounded(values.size());
    std::transform(values.begin(), values.end(), rounded.begin(),
                   [](float value) { return kernels::bfloat16(value); });
    backend.copy_from_host(nullptr, tensor.view().data(), rounded.data(), tensor.view().bytes());
  }
  backend.synchronize(nullptr);
  return tensor;
}

Tensor upload(kernels::Backend& backend, std::span<const std::int32_t> values, const Shape& shape) {
  check_count(static_cast<std::int64_t>(values.size()), shape);
  Tensor tensor(backend, ElementType::i32, shape);
  backend.copy_from_host(nullptr, tensor.view().data(), values.data(), tensor.view().bytes());
  backend.synchronize(nullptr);
  return tensor;
}

void download(kernels::Backend& backend, kernels::Stream stream, const TensorView& from,
              std::span<float> to) {
  check_count(static_cast<std::int64_t>(to.size()), from.shape());
  if (!from.is_dense()) throw InvalidArgument("only a dense tensor can be downloaded");
  if (from.type() == ElementType::f32) {
    backend.copy_to_host(stream, to.data(), from.data(), from.bytes());
    backend.synchronize(stream);
    return;
  }
  if (from.type() != ElementType::bf16) {
    throw InvalidArgument("only f32 and bf16 tensors can be downloaded as f32");
  }
  std::vector<kernels::bfloat16> values(to.size());
  backend.copy_to_host(stream, values.data(), from.data(), from.bytes());
  backend.synchronize(stream);
  std::transform(values.begin(), values.end(), to.begin(),
                 [](kernels::bfloat16 value) { return static_cast<float>(value); });
}

}  // namespace ssmgen::core
