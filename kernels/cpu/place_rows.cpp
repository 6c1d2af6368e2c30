// out[i, place(c)] = f32(in[i, c]) (+ residual[i, c]): each element read and written once, row by
// row, in loops that the compiler makes vectors of.
#include "kernels/cpu/place_rows.hpp"

#include <algorithm>

#include "kernels/cpu/blocks.hpp"

namespace ssmgen::kernels::cpu {
namespace {

template <class T>
void place_row(const PlaceRowsArgs<T>& args, std::int64_t row) {
  const T* in = args.in + row * args.in_row_stride;
  float* out = args.out + row * args.out_row_stride;
  if (args.residual == nullptr) {
    for (std::int64_t i = 0; i < args.channels; ++i) out[i] = static_cast<float>(in[i]);
  } else {
    const float* residual = args.residual + row * args.residual_row_stride;
    for (std::int64_t i = 0; i < args.channels; ++i) {
      out[i] = static_cast<float>(in[i]) + residual[i];
    }
  }
  if (args.reversed) std::reverse(out, out + args.channels);
}

template <class T>
void place(ThreadPool& pool, const PlaceRowsArgs<T>& args) {
  const auto row_bytes = args.channels * static_cast<std::int64_t>(sizeof(float));
  for_blocks(pool, args.rows, row_bytes, [&args](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) place_row(args, row);
  });
}

}  // namespace

void place_rows(ThreadPool& pool, const PlaceRowsArgs<float>& args) {
  place(pool, args);
}

void place_rows(ThreadPool& pool, const PlaceRowsArgs<bfloat16>& args) {
  place(pool, args);
}

}  // namespace ssmgen::kernels::cpu
