#pragma once
// The causal depthwise convolution and SiLU in f64, as its contract writes them.

#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/causal_conv.hpp"

namespace ssmgen::reference {

struct ConvResult {
  std::vector<double> out;    ///< (batch, length, channels)
  std::vector<double> carry;  ///< (batch, width - 1, channels)
};

template <class T>
ConvResult causal_conv(const kernels::CausalConvArgs<T>& args) {
  using kernels::Direction;
  const std::int64_t carried = args.width - 1;
  ConvResult result;
  result.out.resize(static_cast<std::size_t>(args.batch * args.length * args.channels));
  result.carry.resize(static_cast<std::size_t>(args.batch * carried * args.channels));
  for (std::int64_t sequence = 0; sequence < args.batch; ++sequence) {
    const bool turned = sequence >= args.opposite_from;
    const Direction direction = turned ? opposite(args.direction) : args.direction;
    const auto position = [&](std::int64_t s) {
      return direction == Direction::left_to_right ? s : args.length - 1 - s;
    };
    for (std::int64_t channel = 0; channel < args.channels; ++channel) {
      // Step s of the sweep; the steps before 0 are the carried ones.
      const auto input = [&](std::int64_t s) -> double {
        if (s >= 0) {
          return static_cast<float>(args.in[sequence * args.in_batch_stride +
                                            position(s) * args.in_row_stride + channel]);
        }
        if (args.carry_in == nullptr) return 0.0;
        return args.carry_in[(sequence * carried + carried + s) * args.channels + channel];
      };
      for (std::int64_t s = 0; s < args.length; ++s) {
        double pre = args.bias == nullptr ? 0.0 : args.bias[channel];
        for (std::int64_t k = 0; k < args.width; ++k) {
          pre += args.weight[channel * args.width + k] * input(s - carried + k);
        }
        const std::int64_t row = sequence * args.length + position(s);
        result.out[static_cast<std::size_t>(row * args.channels + channel)] =
            pre / (1.0 + std::exp(-pre));
      }
      for (std::int64_t k = 0; k < carried; ++k) {
        result.carry[static_cast<std::size_t>((sequence * carried + k) * args.channels + channel)] =
            input(args.length - carried + k);
      }
    }
  }
  return result;
}

}  // namespace ssmgen::reference
