#include <gtest/gtest.h>

#include "core/backend_loader.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::core {
namespace {

TEST(OpenBackend, ThreadsAreThoseAskedFor) {
  EXPECT_EQ(open_backend({}, 3)->threads(), 3);
  EXPECT_GE(open_backend({}, 0)->threads(), 1);
}

TEST(OpenBackend, RefusesNegativeThreadsAndDevicesThatAreNotThere) {
  test::expect_error<InvalidArgument>([] { open_backend({}, -1); }, {"threads", "-1"});
  test::expect_error<DeviceError>(
      [] {
        open_backend({Device::Kind::cuda, 1}, 0);
      },
      {"cuda:1", "--device cpu"});
}

TEST(Device, NamesAreReadBack) {
  for (const char* name : {"cpu", "cuda:0", "cuda:7"}) {
    EXPECT_EQ(device_name(parse_device(name)), name);
  }
  EXPECT_EQ(parse_device("cuda"), (Device{Device::Kind::cuda, 0}));
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU"}) {
    test::expect_error<InvalidArgument>([&] { parse_device(name); }, {"cpu, cuda or cuda:N"});
  }
}

}  // namespace
}  // namespace ssmgen::core
