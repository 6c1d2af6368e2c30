#pragma once
// The one symbol of libssmgen_cuda.so, found by name when a CUDA device is asked for.

#include "kernels/backend.hpp"

extern "C" {

/// A back end on that card, owned by the caller. @throws DeviceError saying what is missing: no
/// device, no such device, a driver that is too old.
ssmgen::kernels::Backend* ssmgen_make_cuda_backend(int device);
}
