#pragma once
// The selective scan in f64, one position and one state at a time, as its contract writes it.

#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/selective_scan.hpp"

namespace ssmgen::reference {

struct ScanResult {
  std::vector<double> out;    ///< (batch, length, channels)
  std::vector<double> state;  ///< (batch, channels, states)
};

template <class T>
ScanResult selective_scan(const kernels::SelectiveScanArgs<T>& args) {
  using kernels::Direction;
  ScanResult result;
  result.out.resize(static_cast<std::size_t>(args.batch * args.length * args.channels));
  result.state.resize(static_cast<std::size_t>(args.batch * args.channels * args.states));
  const auto value = [](auto stored) { return static_cast<double>(static_cast<float>(stored)); };
  for (std::int64_t sequence = 0; sequence < args.batch; ++sequence) {
    const bool turned = sequence >= args.opposite_from;
    const Direction direction = turned ? opposite(args.direction) : args.direction;
    for (std::int64_t channel = 0; channel < args.channels; ++channel) {
      double* h = result.state.data() + (sequence * args.channels + channel) * args.states;
      if (args.state_in != nullptr) {
        const float* in = args.state_in + (sequence * args.channels + channel) * args.states;
        for (std::int64_t n = 0; n < args.states; ++n) h[n] = in[n];
      }
      for (std::int64_t s = 0; s < args.length; ++s) {
        const std::int64_t t = direction == Direction::left_to_right ? s : args.length - 1 - s;
        const std::int64_t dense = (sequence * args.length + t) * args.channels + channel;
        const double x =
            value(args.x[sequence * args.x_batch_stride + t * args.x_row_stride + channel]);
        const double delta = value(args.delta[dense]);
        const float* b = args.b + sequence * args.bc_batch_stride + t * args.bc_row_stride;
        const float* c = args.c + sequence * args.bc_batch_stride + t * args.bc_row_stride;
        double y = args.d == nullptr ? 0.0 : args.d[channel] * x;
        for (std::int64_t n = 0; n < args.states; ++n) {
          const double a = args.a[channel * args.states + n];
          h[n] = std::exp(delta * a) * h[n] + delta * b[n] * x;
          y += c[n] * h[n];
        }
        if (args.accumulate) y += value(args.out[dense]);
        if (args.gate != nullptr) {
          const double gate = value(
              args.gate[sequence * args.gate_batch_stride + t * args.gate_row_stride + channel]);
          y *= gate / (1.0 + std::exp(-gate));
        }
        result.out[static_cast<std::size_t>(dense)] = y;
      }
    }
  }
  return result;
}

}  // namespace ssmgen::reference
