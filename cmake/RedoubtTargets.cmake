# redoubt_library(vector SOURCES a.cc b.cc DEPENDS redoubt_base [PRIVATE_DEPENDS PkgConfig::re2])
#   One folder, one static library redoubt_<name>.
function(redoubt_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target redoubt_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_link_libraries(${target} PUBLIC redoubt_flags ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
endfunction()

# redoubt_test(vector SOURCES a_test.cc DEPENDS redoubt_vector)
#   One GoogleTest program redoubt_<name>_test, labelled "unit".
function(redoubt_test name)
  if(NOT REDOUBT_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  set(target redoubt_${name}_test)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE redoubt_flags ${arg_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${target})
  set(seconds 120)
  if(REDOUBT_SANITIZER)
    set(seconds 600)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT ${seconds})
endfunction()

# redoubt_bench(vector SOURCES flat_bench.cc DEPENDS redoubt_vector)
function(redoubt_bench name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  set(target redoubt_${name}_bench)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE redoubt_flags ${arg_DEPENDS} benchmark::benchmark benchmark::benchmark_main)
endfunction()

# redoubt_fuzz(tensor_blob SOURCES tensor_blob_fuzz.cc DEPENDS redoubt_tensor)
#   A libFuzzer program redoubt_<name>_fuzz; built only with clang and REDOUBT_BUILD_FUZZ. Of a large library only the
#   files of the parser are listed, so that a cold build of all of them takes a minute.
function(redoubt_fuzz name)
  if(NOT REDOUBT_BUILD_FUZZ)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  set(target redoubt_${name}_fuzz)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE redoubt_flags ${arg_DEPENDS})
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${target})
endfunction()

# redoubt_backend(onnx SOURCES a.cc LIBRARY onnxruntime FILES libonnxruntime.so.1=/path/libonnxruntime.so.1.31.1)
#   A model backend: lib/backends/redoubt_<name>.so, which exports its one table, with the vendor's FILES beside it.
function(redoubt_backend name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARY;FILES" ${ARGN})
  set(target redoubt_${name})
  set(folder "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/backends")
  set(exports "${CMAKE_SOURCE_DIR}/src/backends/exports.map")
  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE redoubt_flags ${arg_LIBRARY})
  set_target_properties(${target} PROPERTIES
    PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY "${folder}"
    LINK_DEPENDS "${exports}"
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH "$ORIGIN")
  target_link_options(${target} PRIVATE
    -Wl,-Bsymbolic -Wl,--exclude-libs,ALL -Wl,--no-undefined "-Wl,--version-script=${exports}")
  if(REDOUBT_SANITIZER)
    # The sanitizer's own symbols are found at run time, in the program that was started with it.
    target_link_options(${target} PRIVATE -Wl,-z,undefs)
  endif()
  # Found through $ORIGIN, whatever the machine has installed. Hard links where they can be made: the vendors' libraries
  # are large, and every build folder has them.
  set(copies "")
  foreach(pair IN LISTS arg_FILES)
    string(REPLACE "=" ";" pair "${pair}")
    list(GET pair 0 file)
    list(GET pair 1 original)
    add_custom_command(OUTPUT "${folder}/${file}"
      COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
      COMMAND ln -f "${original}" "${folder}/${file}" || cp -f "${original}" "${folder}/${file}"
      DEPENDS "${original}" VERBATIM)
    list(APPEND copies "${folder}/${file}")
  endforeach()
  add_custom_target(${target}_files DEPENDS ${copies})
  add_dependencies(${target} ${target}_files)
endfunction()
