#pragma once
// Products by cuBLASLt, each with one algorithm chosen when it is prepared.

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <memory>

#include "kernels/product.hpp"

namespace ssmgen::kernels::cuda {

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
  void run(cudaStream_t stream, const ProductArgs& args);

 private:
  cublasLtHandle_t handle_ = nullptr;
};

}  // namespace ssmgen::kernels::cuda
