# Where `cmake --install` puts things; every path is relative to the prefix, so the tree can be
# moved and `--prefix` given late.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The command finds the library beside it, wherever the prefix is.
file(RELATIVE_PATH SSMGEN_BIN_TO_LIB "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set(SSMGEN_COMMAND_RPATH "$ORIGIN/${SSMGEN_BIN_TO_LIB}")

# The library, its headers, the CMake package and the pkg-config file.
function(ssmgen_install_library)
  set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ssmgen")
  install(TARGETS ssmgen EXPORT ssmgenTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/libssmgen/include/ssmgen"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
  install(EXPORT ssmgenTargets NAMESPACE ssmgen:: DESTINATION "${package_dir}")

  set(generated "${PROJECT_BINARY_DIR}/package")
  set(templates "${PROJECT_SOURCE_DIR}/libssmgen/cmake")
  configure_package_config_file("${templates}/ssmgenConfig.cmake.in" "${generated}/ssmgenConfig.cmake"
                                INSTALL_DESTINATION "${package_dir}")
  write_basic_package_version_file("${generated}/ssmgenConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${generated}/ssmgenConfig.cmake" "${generated}/ssmgenConfigVersion.cmake"
          DESTINATION "${package_dir}")

  file(RELATIVE_PATH SSMGEN_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" SSMGEN_PC_TO_PREFIX "${SSMGEN_PC_TO_PREFIX}")
  configure_file("${templates}/ssmgen.pc.in" "${generated}/ssmgen.pc" @ONLY)
  install(FILES "${generated}/ssmgen.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

# The command, what `ssmgen selftest` runs when no folder is named, and the licence.
function(ssmgen_install_command target)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${SSMGEN_COMMAND_RPATH}")
  install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/test_data/golden"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/ssmgen")
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
endfunction()
