// out[i] = in[row_index[i]] (contract: kernels/gather_rows.hpp).
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/gather_rows.hpp"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
__global__ void gather(const GatherRowsArgs<T> args) {
  const std::int64_t count = args.rows * args.channels;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += step) {
    args.out[i] =
        args.in[args.row_index[i / args.channels] * args.in_row_stride + i % args.channels];
  }
}

template <class T>
void run(cudaStream_t stream, const GatherRowsArgs<T>& args) {
  if (args.rows * args.channels == 0) return;
  gather<T><<<grid_of(args.rows * args.channels), threads_of_grid, 0, stream>>>(args);
  check_launch("gather_rows");
}

}  // namespace

void gather_rows(cudaStream_t stream, const GatherRowsArgs<float>& args) {
  run(stream, args);
}
void gather_rows(cudaStream_t stream, const GatherRowsArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
