#pragma once
// The token embedding in f64, as its contract writes it.

#include <cstddef>
#include <vector>

#include "kernels/token_embedding.hpp"

namespace ssmgen::reference {

/// (rows, channels).
template <class T>
std::vector<double> token_embedding(const kernels::TokenEmbeddingArgs<T>& args) {
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(args.rows * args.channels));
  for (std::int64_t row = 0; row < args.rows; ++row) {
    const std::int32_t id = args.ids[row];
    const std::int64_t token = args.id_map != nullptr ? args.id_map[id] : id;
    for (std::int64_t c = 0; c < args.channels; ++c) {
      out.push_back(static_cast<float>(args.weight[token * args.channels + c]));
    }
  }
  return out;
}

}  // namespace ssmgen::reference
