#pragma once
// The structures that the DLPack protocol puts into its capsules, of version 1.0 and of the time
// before versions (https://dmlc.github.io/dlpack/latest/c_api.html): a fixed binary interface, of
// which this is what ssmgen hands out.

#include <cstdint>

namespace ssmgen::python::dlpack {

struct Version {
  std::uint32_t major;
  std::uint32_t minor;
};
inline constexpr Version version{1, 0};

inline constexpr std::int32_t on_cpu = 1;   // kDLCPU
inline constexpr std::int32_t on_cuda = 2;  // kDLCUDA

struct Device {
  std::int32_t type;
  std::int32_t index;
};

struct DataType {
  std::uint8_t code;  // 2: kDLFloat
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct Tensor {
  void* data;
  Device device;
  std::int32_t rank;
  DataType type;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements
  std::uint64_t byte_offset;
};

struct ManagedTensor {
  Tensor tensor;
  void* context;
  void (*deleter)(ManagedTensor*);
};

struct VersionedTensor {
  Version version;
  void* context;
  void (*deleter)(VersionedTensor*);
  std::uint64_t flags;
  Tensor tensor;
};

template <class Managed>
inline constexpr const char* capsule_name = "dltensor";
template <>
inline constexpr const char* capsule_name<VersionedTensor> = "dltensor_versioned";

}  // namespace ssmgen::python::dlpack
