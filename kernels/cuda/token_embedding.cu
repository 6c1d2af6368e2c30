// out[row] = weight[map[ids[row]]] (contract: kernels/token_embedding.hpp). A thread an element,
// channels along the warp: the table stays in cache, the output is written once.
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/token_embedding.hpp"

namespace ssmgen::kernels::cuda {
namespace {

template <class T>
__global__ void embed(const TokenEmbeddingArgs<T> args) {
  const std::int64_t count = args.rows * args.channels;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += step) {
    const std::int64_t row = i / args.channels;
    std::int32_t id = args.ids[row];
    if (args.id_map != nullptr) id = args.id_map[id];
    args.out[i] = args.weight[id * args.channels + i % args.channels];
  }
}

template <class T>
void run(cudaStream_t stream, const TokenEmbeddingArgs<T>& args) {
  if (args.rows * args.channels == 0) return;
  embed<T><<<grid_of(args.rows * args.channels), threads_of_grid, 0, stream>>>(args);
  check_launch("token_embedding");
}

}  // namespace

void token_embedding(cudaStream_t stream, const TokenEmbeddingArgs<float>& args) {
  run(stream, args);
}
void token_embedding(cudaStream_t stream, const TokenEmbeddingArgs<bfloat16>& args) {
  run(stream, args);
}

}  // namespace ssmgen::kernels::cuda
