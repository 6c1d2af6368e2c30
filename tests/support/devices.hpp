#pragma once
// The devices a suite runs on: the same tests for the CPU and, skipped visibly where there is none,
// a CUDA card.

#include <array>
#include <gtest/gtest.h>
#include <ssmgen/device.hpp>
#include <ssmgen/errors.hpp>
#include <string>

#include "core/backend_loader.hpp"

namespace ssmgen::test {

inline std::array<Device, 2> devices() {
  return {Device{}, Device{Device::Kind::cuda, 0}};
}

/// "cpu" or "cuda", for the names of tests.
inline std::string device_label(const Device& device) {
  return device.kind == Device::Kind::cpu ? "cpu" : "cuda";
}

/// Why the device cannot be used; empty when it can.
inline std::string missing(const Device& device) {
  try {
    core::open_backend(device, 1);
    return "";
  } catch (const DeviceError& error) {
    return error.what();
  }
}

}  // namespace ssmgen::test

/// Skips the test, saying why, where the device is not there.
#define SSMGEN_SKIP_WITHOUT(device) \
  if (const std::string why = ssmgen::test::missing(device); !why.empty()) GTEST_SKIP() << why
