# SPDX-License-Identifier: Apache-2.0
#
# cmake -DCOMPILER=g++ -DFLAGS=file -DSOURCE=x.cc -P must_not_compile.cmake; see CMakeLists.txt.

file(STRINGS "${SOURCE}" expect REGEX "^// EXPECT: ")
string(REGEX REPLACE "^// EXPECT: " "" expect "${expect}")
if(NOT expect)
  message(FATAL_ERROR "${SOURCE} has no line \"// EXPECT: regular expression\"")
endif()

execute_process(COMMAND "${COMPILER}" "@${FLAGS}" -DFIXED "${SOURCE}" RESULT_VARIABLE failed ERROR_VARIABLE errors)
if(failed)
  message(FATAL_ERROR "${SOURCE} must compile with -DFIXED, or its failure without proves nothing:\n${errors}")
endif()

execute_process(COMMAND "${COMPILER}" "@${FLAGS}" "${SOURCE}" RESULT_VARIABLE failed ERROR_VARIABLE errors)
if(NOT failed)
  message(FATAL_ERROR "${SOURCE} compiles, though it must not")
endif()
if(NOT errors MATCHES "${expect}")
  message(FATAL_ERROR "${SOURCE} fails to compile, but not with \"${expect}\":\n${errors}")
endif()
