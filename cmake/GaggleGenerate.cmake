# SPDX-License-Identifier: Apache-2.0
#
# gaggle_generate(TARGET name
#                 PROTOS file.proto...
#                 [IMPORT_DIRS dir...]     where imports are looked up; default: the current source directory
#                 [LINK target...]         other generated libraries whose protos these import
#                 [MESSAGES_ONLY])         no services: .pb.h and .pb.cc alone
#
# makes the static library `name` of the .pb.{h,cc} and .gaggle.{h,cc} of the protos. Link it, and
#   #include "file.gaggle.h"
# works; a proto in a sub-folder of an import directory keeps that sub-folder in its include path.
# Needs the targets protobuf::protoc and gaggle::protoc-gen-gaggle, which both find_package(gaggle)
# and add_subdirectory bring.

include_guard(GLOBAL)

function(gaggle_generate)
  cmake_parse_arguments(PARSE_ARGV 0 arg "MESSAGES_ONLY" "TARGET" "PROTOS;IMPORT_DIRS;LINK")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "gaggle_generate: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_TARGET OR NOT arg_PROTOS)
    message(FATAL_ERROR "gaggle_generate: TARGET and PROTOS are needed")
  endif()
  if(NOT arg_IMPORT_DIRS)
    set(arg_IMPORT_DIRS "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()

  set(imports "")
  set(import_flags "")
  foreach(dir IN LISTS arg_IMPORT_DIRS)
    cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    list(APPEND imports "${dir}")
    list(APPEND import_flags "-I${dir}")
  endforeach()

  set(out "${CMAKE_CURRENT_BINARY_DIR}/${arg_TARGET}.generated")
  file(MAKE_DIRECTORY "${out}")
  set(sources "")
  set(headers "")
  set(descriptors "")
  foreach(proto IN LISTS arg_PROTOS)
    cmake_path(ABSOLUTE_PATH proto BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    gaggle_proto_stem_("${proto}" "${imports}" stem)
    set(pb "${out}/${stem}.pb.h" "${out}/${stem}.pb.cc")
    # protoc's name for the file's descriptor, with what isn't a letter or digit in hexadecimal.
    set(symbol "${stem}.proto")
    string(REPLACE "_" "_5f" symbol "${symbol}")
    string(REPLACE "/" "_2f" symbol "${symbol}")
    string(REPLACE "." "_2e" symbol "${symbol}")
    string(REPLACE "-" "_2d" symbol "${symbol}")
    list(APPEND descriptors "LINKER:-u,descriptor_table_${symbol}")
    set(ours "")
    set(plugin "")
    set(plugin_depends "")
    if(NOT arg_MESSAGES_ONLY)
      set(ours "${out}/${stem}.gaggle.h" "${out}/${stem}.gaggle.cc")
      set(plugin "--plugin=protoc-gen-gaggle=$<TARGET_FILE:gaggle::protoc-gen-gaggle>" "--gaggle_out=${out}")
      set(plugin_depends gaggle::protoc-gen-gaggle)
    endif()
    # protoc keeps its tables until it exits, which a leak checker would call leaks of our plugin.
    add_custom_command(
      OUTPUT ${pb} ${ours}
      COMMAND "${CMAKE_COMMAND}" -E env ASAN_OPTIONS=detect_leaks=0
              $<TARGET_FILE:protobuf::protoc> ${plugin} "--cpp_out=${out}" ${import_flags} "${proto}"
      DEPENDS "${proto}" ${plugin_depends}
      COMMENT "Generating ${stem}"
      VERBATIM)
    list(APPEND sources ${pb} ${ours})
    list(APPEND headers ${pb} ${ours})
  endforeach()
  list(FILTER headers INCLUDE REGEX "\\.h$")

  add_library(${arg_TARGET} STATIC ${sources})
  target_compile_features(${arg_TARGET} PUBLIC cxx_std_23)
  # A server has no use for the client beside it: with --gc-sections, it's left out.
  target_compile_options(${arg_TARGET} PRIVATE -ffunction-sections -fdata-sections)
  set_target_properties(${arg_TARGET} PROPERTIES
    # protoc needs none of the libraries that its output will be linked to.
    OPTIMIZE_DEPENDENCIES ON
    CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON GAGGLE_HEADERS "${headers}" GAGGLE_HEADERS_DIR "${out}")
  target_include_directories(${arg_TARGET} PUBLIC $<BUILD_INTERFACE:${out}>)
  target_link_libraries(${arg_TARGET} PUBLIC protobuf::libprotobuf ${arg_LINK})
  if(NOT arg_MESSAGES_ONLY)
    target_link_libraries(${arg_TARGET} PUBLIC gaggle::rpc)
    # A proto that has services and no messages has nothing that anybody calls: without this, the
    # linker leaves its descriptor in the library, and reflection can't describe its services.
    target_link_options(${arg_TARGET} INTERFACE ${descriptors})
  endif()
endfunction()

# The proto's path below the import directory that has it, without its ending.
function(gaggle_proto_stem_ proto imports result)
  foreach(dir IN LISTS imports)
    cmake_path(IS_PREFIX dir "${proto}" NORMALIZE below)
    if(below)
      cmake_path(RELATIVE_PATH proto BASE_DIRECTORY "${dir}" OUTPUT_VARIABLE stem)
      string(REGEX REPLACE "\\.proto$" "" stem "${stem}")
      set(${result} "${stem}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "gaggle_generate: ${proto} is in none of the import directories: ${imports}")
endfunction()
