// out[row, i] = logits[row, base i] - log sum_j exp(logits[row, base j]) over the four bases.
// The largest logit is subtracted first, so that nothing overflows and the sum is at least 1.
// Four exponentials and a logarithm a row, less than a thousandth of the LM head before it.
#include "kernels/cpu/base_log_softmax.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/cpu/blocks.hpp"

namespace ssmgen::kernels::cpu {

void base_log_softmax(ThreadPool& pool, const BaseLogSoftmaxArgs& args) {
  // About 30 ns a row: the blocks are those of rows of 256 bytes.
  for_blocks(pool, args.rows, 256, [&args](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      std::array<float, 4> x{};
      for (std::size_t i = 0; i < 4; ++i) {
        x[i] = args.logits[row * args.vocabulary + args.base_ids[i]];
      }
      const float largest = *std::max_element(x.begin(), x.end());
      float sum = 0.0f;
      for (float& value : x) {
        value -= largest;
        sum += std::exp(value);
      }
      const float log_sum = std::log(sum);
      for (std::size_t i = 0; i < 4; ++i) {
        args.out[row * 4 + static_cast<std::int64_t>(i)] = x[i] - log_sum;
      }
    }
  });
}

}  // namespace ssmgen::kernels::cpu
