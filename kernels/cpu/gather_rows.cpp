// out[i] = in[row_index[i]]: one copy a row, each byte read and written once.
#include "kernels/cpu/gather_rows.hpp"

#include <algorithm>

#include "kernels/cpu/blocks.hpp"

namespace ssmgen::kernels::cpu {
namespace {

template <class T>
void gather(ThreadPool& pool, const GatherRowsArgs<T>& args) {
  const auto row_bytes = args.channels * static_cast<std::int64_t>(sizeof(T));
  for_blocks(pool, args.rows, row_bytes, [&args](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      std::copy_n(args.in + args.row_index[row] * args.in_row_stride, args.channels,
                  args.out + row * args.channels);
    }
  });
}

}  // namespace

void gather_rows(ThreadPool& pool, const GatherRowsArgs<float>& args) {
  gather(pool, args);
}

void gather_rows(ThreadPool& pool, const GatherRowsArgs<bfloat16>& args) {
  gather(pool, args);
}

}  // namespace ssmgen::kernels::cpu
