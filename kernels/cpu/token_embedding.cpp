// out[row] = weight[map[ids[row]]]: one copy a row. The table of a DNA vocabulary stays in L1, so
// the traffic is the output's.
#include "kernels/cpu/token_embedding.hpp"

#include <algorithm>

#include "kernels/cpu/blocks.hpp"

namespace ssmgen::kernels::cpu {
namespace {

template <class T>
void embed(ThreadPool& pool, const TokenEmbeddingArgs<T>& args) {
  const auto row_bytes = args.channels * static_cast<std::int64_t>(sizeof(T));
  for_blocks(pool, args.rows, row_bytes, [&args](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const std::int32_t id = args.ids[row];
      const std::int64_t token = args.id_map == nullptr ? id : args.id_map[id];
      std::copy_n(args.weight + token * args.channels, args.channels,
                  args.out + row * args.channels);
    }
  });
}

}  // namespace

void token_embedding(ThreadPool& pool, const TokenEmbeddingArgs<float>& args) {
  embed(pool, args);
}

void token_embedding(ThreadPool& pool, const TokenEmbeddingArgs<bfloat16>& args) {
  embed(pool, args);
}

}  // namespace ssmgen::kernels::cpu
