#include <cstring>
#include <gtest/gtest.h>

#include "core/backend_loader.hpp"
#include "core/buffer.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::core {
namespace {

TEST(Buffer, MovesItsMemory) {
  const auto backend = open_backend({}, 1);
  Buffer first(*backend, 1000);
  void* data = first.data();
  std::memset(data, 7, 1000);
  Buffer second(std::move(first));
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT(bugprone-use-after-move): what a move leaves
  second = Buffer(*backend, 10);
  EXPECT_EQ(second.bytes(), 10);
}

TEST(Buffer, NothingNeedsNoMemory) {
  const auto backend = open_backend({}, 1);
  EXPECT_EQ(Buffer(*backend, 0).data(), nullptr);
}

TEST(Buffer, MoreThanThereIsNamesTheBytes) {
  const auto backend = open_backend({}, 1);
  constexpr std::int64_t absurd = std::int64_t{1} << 60;
  test::expect_error<DeviceError>([&] { Buffer(*backend, absurd); }, {std::to_string(absurd)});
}

}  // namespace
}  // namespace ssmgen::core
