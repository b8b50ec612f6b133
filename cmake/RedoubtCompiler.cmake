# Flags that every target of ours is compiled with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
# Everything ends up in a shared object or next to one; hidden visibility keeps our symbols from binding to the
# server's own (Debian's redis-server exports sdsnew, dictCreate, redisConnect, ...).
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # hash_dir and base_dir: a clone in another folder hits the same cache entries.
  set(redoubt_ccache ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${redoubt_ccache})
  set(CMAKE_C_COMPILER_LAUNCHER ${redoubt_ccache})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees paths that are not there: inside std::optional with -O3, and with sanitizers (its own documentation).
  # -Wrestrict there takes std::string's operator+ for an overlapping copy (GCC bug 105651).
  add_compile_options(-Wno-maybe-uninitialized $<$<CONFIG:Release>:-Wno-restrict>)
endif()

if(REDOUBT_SANITIZER)
  add_compile_options(-fsanitize=${REDOUBT_SANITIZER} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${REDOUBT_SANITIZER})
  if(REDOUBT_SANITIZER MATCHES "undefined")
    # A finding ends the program, also when it is run by hand.
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

if(REDOUBT_BUILD_FUZZ)
  # Coverage of the libraries under test is what guides the fuzzer.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)

add_library(redoubt_flags INTERFACE)
target_compile_options(redoubt_flags INTERFACE
  -Wall -Wextra -Werror $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
target_include_directories(redoubt_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(redoubt_flags INTERFACE Threads::Threads)
