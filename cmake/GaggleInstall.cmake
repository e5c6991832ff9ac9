# SPDX-License-Identifier: Apache-2.0
#
# `cmake --install`: headers below include/gaggle, static libraries, the programs, and the package
# files that make find_package(gaggle) work. gaggle_installables builds just what it copies.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/gaggle")
get_property(libraries GLOBAL PROPERTY GAGGLE_INSTALL_TARGETS)
get_property(programs GLOBAL PROPERTY GAGGLE_INSTALL_PROGRAMS)

foreach(library IN LISTS libraries)
  get_target_property(generated ${library} GAGGLE_HEADERS)
  get_target_property(sets ${library} INTERFACE_HEADER_SETS)
  if(generated)
    # Generated headers sit in a folder of their own, so that `#include "groupcache.gaggle.h"` works here as there.
    get_target_property(generated_dir ${library} GAGGLE_HEADERS_DIR)
    install(DIRECTORY "${generated_dir}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/gaggle/proto"
            FILES_MATCHING PATTERN "*.h")
    target_include_directories(${library} PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/gaggle/proto>)
    install(TARGETS ${library} EXPORT gaggleTargets)
  elseif(sets)
    install(TARGETS ${library} EXPORT gaggleTargets FILE_SET HEADERS)
  else()
    install(TARGETS ${library} EXPORT gaggleTargets)
  endif()
endforeach()
if(TARGET protoc-gen-gaggle)
  install(TARGETS protoc-gen-gaggle EXPORT gaggleTargets)
  list(REMOVE_ITEM programs protoc-gen-gaggle)
endif()
if(programs)
  install(TARGETS ${programs})
endif()
install(DIRECTORY "${GAGGLE_ROOT}/proto/" DESTINATION "${CMAKE_INSTALL_DATADIR}/gaggle/proto"
        FILES_MATCHING PATTERN "*.proto")

install(EXPORT gaggleTargets NAMESPACE gaggle:: DESTINATION "${package_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/gaggleConfig.cmake.in"
  "${CMAKE_CURRENT_BINARY_DIR}/gaggleConfig.cmake" INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_DATADIR)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/gaggleConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/gaggleConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/gaggleConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/GaggleDependencies.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/GaggleGenerate.cmake"
  DESTINATION "${package_dir}")

add_custom_target(gaggle_installables DEPENDS ${libraries} ${programs} $<TARGET_NAME_IF_EXISTS:protoc-gen-gaggle>)
