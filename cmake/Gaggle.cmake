# SPDX-License-Identifier: Apache-2.0
#
# The build's options and its few functions.
#
# One folder below gaggle/ is one target: `gaggle_library(http2 DEPENDS base)` in
# gaggle/http2/CMakeLists.txt makes, of whatever lies in the folder,
#
#   *.h *.cc            static library gaggle_http2, alias gaggle::http2
#   *_testing.{h,cc}    library gaggle_http2_testing, for tests of this folder and of others
#   *_test.cc           one test binary gaggle_http2_tests
#
# A folder that has no sources yet becomes an interface library, one that has no tests gets none.

include_guard(GLOBAL)

option(GAGGLE_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(GAGGLE_CLI "Build the gaggle program" ${PROJECT_IS_TOP_LEVEL})
option(GAGGLE_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(GAGGLE_INSTALL "Add the install rules" ${PROJECT_IS_TOP_LEVEL})
option(GAGGLE_BENCH "Build the benchmarks and the servers they compare with" OFF)
option(GAGGLE_FUZZ "Build the fuzzers (clang only); everything is built with coverage, ASan and UBSan" OFF)
option(GAGGLE_WERROR "Warnings are errors" OFF)
option(GAGGLE_PRECOMPILE "Parse other people's headers once for each larger target" OFF)
option(GAGGLE_CHECK_HEADERS "Add a test that compiles every header alone" OFF)
set(GAGGLE_SANITIZE "" CACHE STRING "Sanitizers for the whole build: address,undefined or thread")
set(GAGGLE_ONLY "" CACHE STRING "Build only these folders of gaggle/, a list; empty means everything")

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
  endif()
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  enable_testing()
  find_program(GAGGLE_CCACHE ccache)
  mark_as_advanced(GAGGLE_CCACHE)
  if(GAGGLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER "${GAGGLE_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${GAGGLE_CCACHE}")
    if(GAGGLE_PRECOMPILE)
      # What ccache wants before it believes that a precompiled header is the same.
      list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros)
      add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>
                          "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
    endif()
  endif()
endif()

# A user who adds us as a subdirectory keeps their own standard; our targets ask for C++23 themselves.
set(GAGGLE_ROOT "${CMAKE_CURRENT_LIST_DIR}/..")
cmake_path(NORMAL_PATH GAGGLE_ROOT)
string(REGEX REPLACE "/$" "" GAGGLE_ROOT "${GAGGLE_ROOT}")

include(GNUInstallDirs)
include(GaggleDependencies)
include(GaggleGenerate)

# gaggle_flags is linked privately to all that is ours: warnings and the dialect. Sanitizers go to
# every file of the build, generated code included, since half-instrumented programs report nonsense.
add_library(gaggle_flags INTERFACE)
target_compile_options(gaggle_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  # Options are aggregates with designated initialisers; leaving fields out is how they are used.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers>
  # "x" + std::string is an overlapping memcpy to an optimising g++ 12 (its bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # libstdc++ 12's own stable_sort calls what it has deprecated; g++ knows to be silent about that.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  $<$<BOOL:${GAGGLE_WERROR}>:-Werror>)

# What test/ links: the testing library of every folder.
add_library(gaggle_all_testing INTERFACE)
add_library(gaggle::all_testing ALIAS gaggle_all_testing)

set(gaggle_instrumentation "")
if(GAGGLE_SANITIZE)
  list(APPEND gaggle_instrumentation -fsanitize=${GAGGLE_SANITIZE} -fno-omit-frame-pointer)
  # The check of virtual calls opens a pipe to see whether memory is readable, and takes its failure in
  # a program without descriptors for a bad object.
  if(GAGGLE_SANITIZE MATCHES "undefined")
    list(APPEND gaggle_instrumentation -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
  # With its sanitizers' checks in between, g++ 12 loses track of what Asio has initialised.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND gaggle_instrumentation -Wno-maybe-uninitialized)
  endif()
  # g++ warns about the fences in Asio, which ThreadSanitizer doesn't see; locks order the same things.
  if(GAGGLE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND gaggle_instrumentation -Wno-tsan)
  endif()
endif()
if(GAGGLE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "GAGGLE_FUZZ needs clang for libFuzzer; this is ${CMAKE_CXX_COMPILER_ID}. "
                        "Use `cmake --preset fuzz`, or -DCMAKE_CXX_COMPILER=clang++-19.")
  endif()
  list(APPEND gaggle_instrumentation -fsanitize=fuzzer-no-link,address,undefined
       -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
endif()
if(gaggle_instrumentation)
  add_compile_options(${gaggle_instrumentation})
  add_link_options(${gaggle_instrumentation})
endif()

# gaggle_subdirectory(DIR): add_subdirectory, when DIR is there and has something to say.
function(gaggle_subdirectory dir)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt")
    add_subdirectory(${dir})
  endif()
endfunction()

# gaggle_compile_settings(TARGET): what every target of ours shares.
function(gaggle_compile_settings target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  # A user's --gc-sections then leaves out each function that nobody calls, not only whole files.
  target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:gaggle_flags>)
  if(GAGGLE_PRECOMPILE)
    get_target_property(sources ${target} SOURCES)
    list(LENGTH sources count)
    if(count GREATER_EQUAL 6)  # fewer don't earn it
      target_precompile_headers(${target} PRIVATE "${GAGGLE_ROOT}/cmake/precompiled.h")
    endif()
  endif()
endfunction()

# gaggle_executable(TARGET SOURCES ... [LINK ...] [OUTPUT_NAME name]): a program of ours.
function(gaggle_executable target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_NAME" "SOURCES;LINK")
  add_executable(${target} ${arg_SOURCES})
  gaggle_compile_settings(${target})
  target_include_directories(${target} PRIVATE "${GAGGLE_ROOT}")
  target_link_libraries(${target} PRIVATE ${arg_LINK})
  if(arg_OUTPUT_NAME)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_OUTPUT_NAME})
  endif()
endfunction()

# gaggle_test(TARGET SOURCES ... [LINK ...] [LABEL label]): a GoogleTest binary, one ctest entry per
# test. Every test runs in a process of its own, so none can lean on what another left behind.
function(gaggle_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL" "SOURCES;LINK")
  gaggle_executable(${target} SOURCES ${arg_SOURCES} LINK ${arg_LINK} GTest::gmock GTest::gtest_main)
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  gtest_discover_tests(${target}
    TEST_PREFIX "${arg_LABEL}."
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 120
    WORKING_DIRECTORY "${GAGGLE_ROOT}"
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300)
endfunction()

# gaggle_library(FOLDER
#   [DEPENDS folder...]        lower folders of gaggle/ that it may include
#   [LINK target...]           other people's libraries, seen by users of this one too
#   [PRIVATE_LINK target...]   other people's libraries that only our .cc files see
#   [TEST_DEPENDS folder...]   folders whose *_testing library the tests use
#   [TEST_LINK target...]      other people's libraries for the tests
#   [PROGRAM name])            main.cc is the program `name`, target gaggle_<folder>; the rest of the
#                              folder becomes gaggle_<folder>_lib, so that tests can link it
function(gaggle_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PROGRAM" "DEPENDS;LINK;PRIVATE_LINK;TEST_DEPENDS;TEST_LINK")
  set(target gaggle_${folder})
  if(arg_PROGRAM)
    string(APPEND target _lib)
  endif()
  set(dir "${CMAKE_CURRENT_SOURCE_DIR}")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${dir}/*.h")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${dir}/*.cc")
  set(tests ${sources})
  set(testing_sources ${sources})
  set(testing_headers ${headers})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER testing_sources INCLUDE REGEX "_testing\\.cc$")
  list(FILTER testing_headers INCLUDE REGEX "_testing\\.h$")
  list(FILTER sources EXCLUDE REGEX "(_(test|testing)|/main)\\.cc$")
  list(FILTER headers EXCLUDE REGEX "_testing\\.h$")

  list(TRANSFORM arg_DEPENDS PREPEND gaggle_ OUTPUT_VARIABLE depends)
  gaggle_add_library_(${target} "${sources}" "${headers}" "${depends};${arg_LINK}" "${arg_PRIVATE_LINK}")
  if(NOT arg_PROGRAM)
    add_library(gaggle::${folder} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder})
    set_property(GLOBAL APPEND PROPERTY GAGGLE_INSTALL_TARGETS ${target})
  elseif(EXISTS "${dir}/main.cc")
    gaggle_executable(gaggle_${folder} SOURCES "${dir}/main.cc" LINK ${target} OUTPUT_NAME ${arg_PROGRAM})
    set_property(GLOBAL APPEND PROPERTY GAGGLE_INSTALL_PROGRAMS gaggle_${folder})
  endif()

  if(NOT GAGGLE_TESTS)
    return()
  endif()
  set(test_link ${target})
  if(testing_sources OR testing_headers)
    gaggle_add_library_(gaggle_${folder}_testing "${testing_sources}" "${testing_headers}"
                        "${target};GTest::gmock;${arg_TEST_LINK}" "")
    list(APPEND test_link gaggle_${folder}_testing)
  endif()
  if(TARGET gaggle_${folder}_testing)
    target_link_libraries(gaggle_all_testing INTERFACE gaggle_${folder}_testing)
  endif()
  foreach(other IN LISTS arg_TEST_DEPENDS)
    list(APPEND test_link $<TARGET_NAME_IF_EXISTS:gaggle_${other}_testing>)
    if(TARGET gaggle_${folder}_testing)
      target_link_libraries(gaggle_${folder}_testing INTERFACE $<TARGET_NAME_IF_EXISTS:gaggle_${other}_testing>)
    endif()
  endforeach()
  if(tests)
    gaggle_test(gaggle_${folder}_tests SOURCES ${tests} LINK ${test_link} ${arg_TEST_LINK} LABEL ${folder})
  endif()
endfunction()

# The part of gaggle_library that its library and its testing library share.
function(gaggle_add_library_ target sources headers public_link private_link)
  if(sources)
    add_library(${target} STATIC ${sources})
    gaggle_compile_settings(${target})
    target_link_libraries(${target} PRIVATE ${private_link})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    target_compile_features(${target} INTERFACE cxx_std_23)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${GAGGLE_ROOT}>)
  target_link_libraries(${target} ${scope} ${public_link})
  if(headers)
    target_sources(${target} ${scope}
      FILE_SET HEADERS BASE_DIRS "${GAGGLE_ROOT}" FILES ${headers})
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${GAGGLE_CHECK_HEADERS})
  endif()
endfunction()
