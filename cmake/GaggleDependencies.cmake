# SPDX-License-Identifier: Apache-2.0
#
# Other people's libraries, each from its Debian 12 package. gaggleConfig.cmake reads this file too,
# so that a project which installs gaggle finds the same things with the same macros.

include_guard(GLOBAL)

# Found targets are global, because who adds gaggle as a subdirectory links them from outside it.
function(gaggle_find_packages)
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
  foreach(package IN LISTS ARGN)
    separate_arguments(arguments UNIX_COMMAND "${package}")
    find_package(${arguments} REQUIRED)
  endforeach()
endfunction()

gaggle_find_packages(Threads "OpenSSL 3.0" "Protobuf 3.21" ZLIB)
# Header only and only in our .cc files: who uses an installed gaggle doesn't need it.
if(NOT CMAKE_FIND_PACKAGE_NAME STREQUAL "gaggle")
  gaggle_find_packages("nlohmann_json 3.11")
endif()

# gaggle_find_plain(TARGET header library package): a library without a CMake package of its own.
function(gaggle_find_plain target header library package)
  if(TARGET ${target})
    return()
  endif()
  string(MAKE_C_IDENTIFIER "GAGGLE_${library}" name)
  find_path(${name}_INCLUDE ${header})
  find_library(${name}_LIBRARY ${library})
  mark_as_advanced(${name}_INCLUDE ${name}_LIBRARY)
  if(NOT ${name}_INCLUDE OR NOT ${name}_LIBRARY)
    message(FATAL_ERROR "gaggle: <${header}> or lib${library} is missing; on Debian: apt-get install ${package}")
  endif()
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${${name}_LIBRARY}")
  if(NOT ${name}_INCLUDE STREQUAL "/usr/include")
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${${name}_INCLUDE}")
  endif()
endfunction()

gaggle_find_plain(gaggle::xxhash xxhash.h xxhash libxxhash-dev)
gaggle_find_plain(gaggle::zstd zstd.h zstd libzstd-dev)
gaggle_find_plain(gaggle::cares ares.h cares libc-ares-dev)

# Asio: header only. All of a program must see the same version with the same macros, so both are
# fixed here, and everybody who links gaggle gets them. clang with libstdc++ does not find out by
# itself that it has coroutines; whether g++ finds aligned allocation depends on what was included
# before, and memory from one way must not be freed in the other.
if(NOT TARGET gaggle::asio)
  find_path(GAGGLE_ASIO_INCLUDE asio/version.hpp)
  mark_as_advanced(GAGGLE_ASIO_INCLUDE)
  if(NOT GAGGLE_ASIO_INCLUDE)
    message(FATAL_ERROR "gaggle: Asio is missing; on Debian: apt-get install libasio-dev")
  endif()
  file(STRINGS "${GAGGLE_ASIO_INCLUDE}/asio/version.hpp" gaggle_asio_version REGEX "define ASIO_VERSION ")
  string(REGEX MATCH "[0-9]+" gaggle_asio_version "${gaggle_asio_version}")
  if(NOT gaggle_asio_version GREATER_EQUAL 102200 OR NOT gaggle_asio_version LESS 102300)
    message(FATAL_ERROR "gaggle: Asio 1.22 is needed (ASIO_VERSION 1022xx), "
                        "${GAGGLE_ASIO_INCLUDE} has ${gaggle_asio_version}")
  endif()
  add_library(gaggle::asio INTERFACE IMPORTED GLOBAL)
  target_compile_definitions(gaggle::asio INTERFACE
    ASIO_STANDALONE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1 ASIO_DISABLE_STD_ALIGNED_ALLOC=1)
  target_link_libraries(gaggle::asio INTERFACE Threads::Threads)
  if(NOT GAGGLE_ASIO_INCLUDE STREQUAL "/usr/include")
    target_include_directories(gaggle::asio INTERFACE "${GAGGLE_ASIO_INCLUDE}")
  endif()
endif()

# What only the program and the tests need.
if(GAGGLE_CLI)
  gaggle_find_packages(CLI11 spdlog SQLite3)
endif()
if(GAGGLE_TESTS)
  # CLI11 for the programs that strangers talk to.
  gaggle_find_packages(CLI11 GTest)
  include(GoogleTest)
endif()
if(GAGGLE_TESTS OR GAGGLE_FUZZ)
  gaggle_find_plain(gaggle::nghttp2 nghttp2/nghttp2.h nghttp2 libnghttp2-dev)
endif()
