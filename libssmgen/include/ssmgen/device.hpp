#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ssmgen {

/// Where a model computes.
struct Device {
  enum class Kind : std::uint8_t { cpu, cuda };
  Kind kind = Kind::cpu;
  int index = 0;  ///< which card, from 0; always 0 for the CPU

  bool operator==(const Device&) const = default;
};

/// "cpu", "cuda" (card 0) or "cuda:N". @throws InvalidArgument for any other text.
Device parse_device(std::string_view text);

/// The text parse_device() reads back.
std::string device_name(Device device);

}  // namespace ssmgen
