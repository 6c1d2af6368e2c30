#pragma once

#include <cuda_runtime_api.h>

#include "kernels/base_log_softmax.hpp"

namespace ssmgen::kernels::cuda {

void base_log_softmax(cudaStream_t stream, const BaseLogSoftmaxArgs& args);

}  // namespace ssmgen::kernels::cuda
