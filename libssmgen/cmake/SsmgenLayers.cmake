# The house: a folder may include and link only what stands below it in this list.
# ssmgen_layer() declares a folder as an object library; configuring fails on an upward dependency,
# whether it is stated in CMake or hidden in an #include.
set(SSMGEN_LAYERS kernels base core genome io ops layers models stream tasks)

function(_ssmgen_layer_source_dir layer out)
  if(layer STREQUAL "kernels")
    set(${out} "${PROJECT_SOURCE_DIR}/kernels" PARENT_SCOPE)
  else()
    set(${out} "${PROJECT_SOURCE_DIR}/libssmgen/src/${layer}" PARENT_SCOPE)
  endif()
endfunction()

# Fails when a file of `layer` includes a project header of a folder that is not in `allowed`.
function(_ssmgen_check_includes layer allowed)
  _ssmgen_layer_source_dir(${layer} directory)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${directory}/*.cpp" "${directory}/*.hpp" "${directory}/*.cu"
       "${directory}/*.cuh")
  foreach(file IN LISTS files)
    file(STRINGS "${file}" lines REGEX "^#include \"[a-z_]+/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"([a-z_]+)/.*" "\\1" folder "${line}")
      if(folder IN_LIST SSMGEN_LAYERS AND NOT folder IN_LIST allowed)
        message(FATAL_ERROR "${file} includes from '${folder}', which '${layer}' may not use: "
                            "it declares only '${allowed}' (see SsmgenLayers.cmake)")
      endif()
    endforeach()
  endforeach()
endfunction()

# ssmgen_layer(NAME SOURCES ... PUBLIC layers... PRIVATE layers... LIBRARIES third-party targets...)
function(ssmgen_layer layer)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE;LIBRARIES" ${ARGN})
  list(FIND SSMGEN_LAYERS ${layer} height)
  if(height LESS 0)
    message(FATAL_ERROR "'${layer}' is not in SSMGEN_LAYERS")
  endif()
  set(allowed ${layer} ${ARG_PUBLIC} ${ARG_PRIVATE})
  foreach(dependency IN LISTS ARG_PUBLIC ARG_PRIVATE)
    list(FIND SSMGEN_LAYERS ${dependency} below)
    if(below LESS 0 OR NOT below LESS height)
      message(FATAL_ERROR "upward dependency: '${layer}' may not depend on '${dependency}'")
    endif()
    # What a dependency shows in its own headers may be included too.
    list(APPEND allowed ${SSMGEN_${dependency}_VISIBLE})
  endforeach()
  list(REMOVE_DUPLICATES allowed)
  _ssmgen_check_includes(${layer} "${allowed}")

  set(visible ${ARG_PUBLIC})
  foreach(dependency IN LISTS ARG_PUBLIC)
    list(APPEND visible ${SSMGEN_${dependency}_VISIBLE})
  endforeach()
  set(SSMGEN_${layer}_VISIBLE "${visible}" CACHE INTERNAL "layers seen through ${layer}'s headers")

  if(NOT ARG_SOURCES)
    add_library(ssmgen_${layer} INTERFACE)
    return()
  endif()
  add_library(ssmgen_${layer} OBJECT ${ARG_SOURCES})
  target_include_directories(ssmgen_${layer} PUBLIC "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/libssmgen/src"
                                                    "${PROJECT_SOURCE_DIR}/libssmgen/include")
  target_link_libraries(ssmgen_${layer} PRIVATE ssmgen_compile ${ARG_LIBRARIES})
endfunction()
