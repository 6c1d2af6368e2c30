#pragma once
// Products by cuBLASLt, each with one algorithm chosen when it is prepared, and by a kernel of our
// own where softplus follows.

#include <cstdint>
#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <memory>

#include "kernels/product.hpp"

namespace ssmgen::kernels::cuda {

/// Host values on the card for as long as this lives, rounded to their type; none when null.
class DeviceValues {
 public:
  DeviceValues(const float* values, std::int64_t count, Dtype dtype);
  ~DeviceValues();
  DeviceValues(const DeviceValues&) = delete;
  DeviceValues& operator=(const DeviceValues&) = delete;
  const void* data() const noexcept { return data_; }

 private:
  void* data_ = nullptr;
};

/// What Products prepares.
class CudaPreparedProduct : public PreparedProduct {
 public:
  virtual void run(cudaStream_t stream, const ProductArgs& args) const = 0;
};

/// A cuBLASLt handle with the workspace its algorithms may use; one a back end.
class Products {
 public:
  Products();
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// @throws DeviceError when no algorithm serves the spec. @throws InvalidArgument for types that
  /// no product has.
  std::unique_ptr<PreparedProduct> prepare(const ProductSpec& spec);

 private:
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace ssmgen::kernels::cuda
