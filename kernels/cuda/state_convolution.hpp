#pragma once
// The convolution with a carried state by cuFFT and tables; the contract is
// kernels/state_convolution.hpp.

#include <cuda_runtime_api.h>
#include <cufft.h>
#include <map>
#include <mutex>

#include "kernels/state_convolution.hpp"

namespace ssmgen::kernels::cuda {

/// cuFFT's plans, each for a fixed number of transforms, so that a transform is the same in
/// whatever company it is made; one a back end.
class StateConvolutions {
 public:
  StateConvolutions() = default;
  ~StateConvolutions();
  StateConvolutions(const StateConvolutions&) = delete;
  StateConvolutions& operator=(const StateConvolutions&) = delete;

  void run(cudaStream_t stream, const StateConvolutionArgs<float>& args);
  void run(cudaStream_t stream, const StateConvolutionArgs<bfloat16>& args);

  /// Forward and backward transforms of so many rows, and what they need of memory.
  struct Plans {
    cufftHandle forward = 0;
    cufftHandle backward = 0;
    std::size_t workspace_bytes = 0;
  };
  /// Enqueues a transform of `transforms` rows: real (n, 512) to complex (n, 257), or back.
  void forward(cudaStream_t stream, int transforms, float* real, cufftComplex* complex,
               void* workspace);
  void backward(cudaStream_t stream, int transforms, cufftComplex* complex, float* real,
                void* workspace);
  std::size_t workspace_bytes(int transforms);

 private:
  const Plans& plans(int transforms);

  std::mutex mutex_;  // a plan has one stream and workspace at a time
  std::map<int, Plans> plans_;
};

}  // namespace ssmgen::kernels::cuda
