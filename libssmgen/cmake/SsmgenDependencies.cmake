# Every third-party library, found in one place. README.md and the Makefile name the packages.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
# The library that oneDNN starts its threads with; the kernels tell it to start none.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(htslib REQUIRED IMPORTED_TARGET htslib>=1.16)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd>=1.4)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy>=1.0)
if(SSMGEN_BUILD_CLI)
  find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
endif()
if(SSMGEN_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(SSMGEN_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()

# Debian's dnnl-config.cmake asks for the OpenCL headers, which the CPU engine does not use.
find_path(SSMGEN_DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(SSMGEN_DNNL_LIBRARY dnnl REQUIRED)
add_library(DNNL::dnnl UNKNOWN IMPORTED)
set_target_properties(DNNL::dnnl PROPERTIES IMPORTED_LOCATION "${SSMGEN_DNNL_LIBRARY}"
                                            INTERFACE_INCLUDE_DIRECTORIES "${SSMGEN_DNNL_INCLUDE_DIR}")

# libBigWig has no file for pkg-config. It can read over the network by libcurl; nothing here does, so
# its headers are asked to leave curl's out.
find_path(SSMGEN_BIGWIG_INCLUDE_DIR bigWig.h REQUIRED)
find_library(SSMGEN_BIGWIG_LIBRARY BigWig REQUIRED)
add_library(BigWig::BigWig UNKNOWN IMPORTED)
set_target_properties(
  BigWig::BigWig
  PROPERTIES IMPORTED_LOCATION "${SSMGEN_BIGWIG_LIBRARY}"
             INTERFACE_INCLUDE_DIRECTORIES "${SSMGEN_BIGWIG_INCLUDE_DIR}"
             INTERFACE_COMPILE_DEFINITIONS NOCURL)
