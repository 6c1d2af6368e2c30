// out[row] = weight[map[ids[row]]] (contract: kernels/token_embedding.hpp). A warp a row: the table
// stays in cache, the output is written once.
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/token_embedding.hpp"

namespace ssmgen::kernels::cuda {
namespace {

constexpr int block_warps = 8;

template <class T>
__global__ void embed(const TokenEmbeddingArgs<T> args) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::int64_t row =
      static_cast<std::int64_t>(blockIdx.x) * block_warps + static_cast<int>(threadIdx.x) / 32;
  if (row >= args.rows) return;
  std::int32_t id = args.ids[row];
  if (args.id_map != nullptr) id = args.id_map[id];
  const T* from = args.weight + id * args.channels;
  T* to = args.out + row * args.channels;
  for (std::int64_t c = lane; c < args.channels; c += 32) to[c] = from[c];
}

template <class T>
void run(cudaStream_t stream, const TokenEmbeddingArgs<T>& args) {
  if (args.rows * args.channels == 0) return;
  const auto blocks = static_cast<unsigned>((args.rows + block_warps - 1) / block_warps);
  embed<T><<<blocks, block_warps * 32, 0, stream>>>(args);
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
