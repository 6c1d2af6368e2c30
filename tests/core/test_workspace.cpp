#include <cstdint>
#include <gtest/gtest.h>

#include "core/backend_loader.hpp"
#include "core/workspace.hpp"

namespace ssmgen::core {
namespace {

TEST(Workspace, ScopesGiveBackAndLaterTakesReuse) {
  const auto backend = open_backend({}, 1);
  Workspace workspace(*backend);
  void* first = nullptr;
  {
    const Workspace::Scope scope(workspace);
    first = workspace.take(ElementType::f32, {1000}).data();
    const void* second = workspace.take(ElementType::bf16, {10, 10}).data();
    EXPECT_NE(first, second);
  }
  const std::int64_t held = workspace.workspace_bytes();
  const Workspace::Scope scope(workspace);
  EXPECT_EQ(workspace.take(ElementType::f32, {1000}).data(), first);
  EXPECT_EQ(workspace.workspace_bytes(), held);
}

TEST(Workspace, ViewsStayApartWhenItGrows) {
  const auto backend = open_backend({}, 1);
  Workspace workspace(*backend);
  const Workspace::Scope scope(workspace);
  std::vector<TensorView> views;
  for (std::int64_t size : {100, 1 << 19, 3, 1 << 20, 77}) {
    views.push_back(workspace.take(ElementType::f32, {size}));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(views.back().data()) % 64, 0u);
    std::fill_n(views.back().as<float>(), size, static_cast<float>(views.size()));
  }
  for (std::size_t i = 0; i < views.size(); ++i) {
    const float* data = views[i].as<float>();
    EXPECT_TRUE(std::all_of(data, data + views[i].shape()[0],
                            [&](float value) { return value == static_cast<float>(i + 1); }));
  }
}

}  // namespace
}  // namespace ssmgen::core
