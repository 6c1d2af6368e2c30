// out[i, place(c)] = f32(in[i, c]) (+ residual[i, c]) (contract: kernels/place_rows.hpp).
// A thread an element, in the order of the input; a warp writes its 128 bytes backwards where rows
// are reversed, which are the same sectors.
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/place_rows.hpp"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
__global__ void place(const PlaceRowsArgs<T> args) {
  const std::int64_t count = args.rows * args.channels;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += step) {
    const std::int64_t row = i / args.channels;
    const std::int64_t channel = i % args.channels;
    float value = to_float(args.in[row * args.in_row_stride + channel]);
    if (args.residual != nullptr) {
      value += args.residual[row * args.residual_row_stride + channel];
    }
    const std::int64_t to = args.reversed ? args.channels - 1 - channel : channel;
    args.out[row * args.out_row_stride + to] = value;
  }
}

template <class T>
void run(cudaStream_t stream, const PlaceRowsArgs<T>& args) {
  if (args.rows * args.channels == 0) return;
  place<T><<<grid_of(args.rows * args.channels), threads_of_grid, 0, stream>>>(args);
  check_launch("place_rows");
}

}  // namespace

void place_rows(cudaStream_t stream, const PlaceRowsArgs<float>& args) {
  run(stream, args);
}
void place_rows(cudaStream_t stream, const PlaceRowsArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
