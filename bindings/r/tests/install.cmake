# R CMD build, then R CMD INSTALL of what it made: nothing is written into the source folder, and
# links to test_data become files. See CMakeLists.txt.
function(run)
  execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${SCRATCH}" RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  message("${output}")
  if(NOT result EQUAL 0)
    string(REPLACE ";" " " line "${ARGV}")
    message(FATAL_ERROR "exit ${result}: ${line}")
  endif()
endfunction()

# Warnings are errors here as everywhere, but for the casts by which R registers routines.
file(WRITE "${SCRATCH}/Makevars"
     "CXX20 = ${CXX}\nCXX20FLAGS = -O2 -Wall -Wextra -Wno-cast-function-type -Werror\n")
set(ENV{R_MAKEVARS_USER} "${SCRATCH}/Makevars")
set(ENV{SSMGEN_HOME} "${HOME_OF_SSMGEN}")
file(GLOB old "${SCRATCH}/ssmgen_*.tar.gz")
if(old)
  file(REMOVE ${old})
endif()
file(MAKE_DIRECTORY "${LIBRARY}")
run("${R}" CMD build --no-build-vignettes --no-manual "${PACKAGE}")
file(GLOB tarball "${SCRATCH}/ssmgen_*.tar.gz")
run("${R}" CMD INSTALL --no-test-load "--library=${LIBRARY}" "${tarball}")
