#pragma once

#include <cuda_runtime_api.h>
#include <memory>

#include "kernels/sweep_inputs.hpp"

namespace ssmgen::kernels::cuda {

/// Null where the card or the shape has no kernel for all of it: then by its parts.
std::unique_ptr<PreparedSweepInputs> prepare_sweep_inputs(const SweepInputsSpec& spec);

void sweep_inputs(cudaStream_t stream, const SweepInputsArgs& args);

}  // namespace ssmgen::kernels::cuda
