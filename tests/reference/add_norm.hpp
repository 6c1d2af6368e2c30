#pragma once
// The residual add and both norms in f64, as their contract writes them.

#include <cmath>
#include <cstddef>
#include <vector>

#include "kernels/add_norm.hpp"

namespace ssmgen::reference {

struct NormResult {
  std::vector<double> out;       ///< (rows, channels)
  std::vector<double> residual;  ///< (rows, channels)
};

enum class Norm { rms, layer };

template <class T, class R>
NormResult add_norm(Norm norm, const kernels::AddNormArgs<T, R>& args) {
  NormResult result;
  result.out.resize(static_cast<std::size_t>(args.rows * args.channels));
  result.residual.resize(result.out.size());
  const auto count = static_cast<double>(args.channels);
  for (std::int64_t row = 0; row < args.rows; ++row) {
    double* sum = result.residual.data() + row * args.channels;
    double* out = result.out.data() + row * args.channels;
    double mean = 0.0;
    for (std::int64_t c = 0; c < args.channels; ++c) {
      const std::int64_t from =
          row * args.channels + (args.reverse_channels ? args.channels - 1 - c : c);
      sum[c] = args.hidden == nullptr ? 0.0 : static_cast<float>(args.hidden[from]);
      if (args.residual_in != nullptr) sum[c] += static_cast<float>(args.residual_in[from]);
      if constexpr (sizeof(R) < sizeof(float)) {
        sum[c] = static_cast<float>(R(static_cast<float>(sum[c])));
      }
      mean += sum[c] / count;
    }
    if (norm == Norm::rms) mean = 0.0;
    double variance = 0.0;
    for (std::int64_t c = 0; c < args.channels; ++c) {
      variance += (sum[c] - mean) * (sum[c] - mean) / count;
    }
    for (std::int64_t c = 0; c < args.channels; ++c) {
      out[c] = (sum[c] - mean) / std::sqrt(variance + args.epsilon) * args.weight[c];
      if (args.bias != nullptr) out[c] += args.bias[c];
    }
  }
  return result;
}

}  // namespace ssmgen::reference
