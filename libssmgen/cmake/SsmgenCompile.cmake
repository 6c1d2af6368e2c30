# The compile settings every target of the project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(SSMGEN_CCACHE ccache)
if(SSMGEN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SSMGEN_CCACHE}")
endif()

add_library(ssmgen_compile INTERFACE)
# -ffp-contract=off: a result must not depend on where the compiler saw a fused multiply-add;
# the kernels ask for theirs by name.
target_compile_options(ssmgen_compile INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                -Wno-sign-conversion -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
  target_compile_options(ssmgen_compile INTERFACE -Wno-restrict)
endif()
if(SSMGEN_WARNINGS_AS_ERRORS)
  target_compile_options(ssmgen_compile INTERFACE -Werror)
endif()
if(SSMGEN_SANITIZE)
  # The asan preset leaves detect_stack_use_after_return off: g++ 12 puts a local array on the heap
  # for it, less aligned than the AVX-512 stores it then makes to the array, which fault.
  target_compile_options(ssmgen_compile INTERFACE -fsanitize=${SSMGEN_SANITIZE}
                                                  -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The checks that a sanitizer adds hide initialisations from g++, which then sees std::regex
    # read what was never set; the build without sanitizers keeps the warning.
    target_compile_options(ssmgen_compile INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_link_options(ssmgen_compile INTERFACE -fsanitize=${SSMGEN_SANITIZE})
endif()
