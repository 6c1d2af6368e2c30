#include <charconv>
#include <fmt/format.h>
#include <ssmgen/device.hpp>
#include <ssmgen/errors.hpp>

namespace ssmgen {

Device parse_device(std::string_view text) {
  if (text == "cpu") return {};
  if (text == "cuda") return {Device::Kind::cuda, 0};
  constexpr std::string_view prefix = "cuda:";
  if (text.starts_with(prefix)) {
    const std::string_view digits = text.substr(prefix.size());
    int index = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), index);
    if (error == std::errc() && end == digits.end() && index >= 0) {
      return {Device::Kind::cuda, index};
    }
  }
  throw InvalidArgument(fmt::format("device '{}' is not known: choose cpu, cuda or cuda:N", text));
}

std::string device_name(Device device) {
  return device.kind == Device::Kind::cpu ? "cpu" : fmt::format("cuda:{}", device.index);
}

}  // namespace ssmgen
