#pragma once
// What every op checks before it calls the back end.

#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <string_view>

#include "core/tensor.hpp"

namespace ssmgen::ops {

/// @throws InvalidArgument naming op, tensor, expected and found shape.
inline void expect_shape(std::string_view op, std::string_view name, const core::TensorView& view,
                         const core::Shape& expected) {
  if (!(view.shape() == expected)) {
    throw InvalidArgument(fmt::format("{}: {} must have shape {}, not {}", op, name,
                                      core::to_string(expected), core::to_string(view.shape())));
  }
}

inline void expect_type(std::string_view op, std::string_view name, const core::TensorView& view,
                        core::ElementType expected) {
  if (view.type() != expected) {
    throw InvalidArgument(fmt::format("{}: {} has the wrong element type", op, name));
  }
}

inline void expect_dense(std::string_view op, std::string_view name, const core::TensorView& view) {
  if (!view.is_dense()) throw InvalidArgument(fmt::format("{}: {} must be dense", op, name));
}

/// Calls `body` with the element type of an activation as its template argument.
template <class Body>
void dispatch(std::string_view op, core::ElementType type, Body&& body) {
  switch (type) {
    case core::ElementType::f32:
      return body.template operator()<float>();
    case core::ElementType::bf16:
      return body.template operator()<kernels::bfloat16>();
    default:
      throw InvalidArgument(fmt::format("{}: activations are f32 or bf16", op));
  }
}

}  // namespace ssmgen::ops
