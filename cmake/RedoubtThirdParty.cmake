# Every library of others that we link, found once. Debian's packages come from the system; the rest from the cache
# that tools/setup fills (see tools/setup/README.md).
find_package(fmt REQUIRED)  # headers only, see src/base/fmt.cc
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-uc icu-i18n)

function(redoubt_require path hint)
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "${path} is missing. ${hint}")
  endif()
endfunction()

# redismodule.h of Redis 7.0, the floor we support.
redoubt_require("${REDOUBT_DEPS}/redismodule/include/redismodule.h" "Run tools/setup/fetch first.")
add_library(redismodule INTERFACE)
target_include_directories(redismodule SYSTEM INTERFACE "${REDOUBT_DEPS}/redismodule/include")

# hiredis with TLS and RESP3 (Debian's 0.14 has neither).
redoubt_require("${REDOUBT_DEPS}/hiredis/hiredis.h" "Run tools/setup/fetch first.")
add_library(hiredis STATIC
  "${REDOUBT_DEPS}/hiredis/alloc.c" "${REDOUBT_DEPS}/hiredis/async.c" "${REDOUBT_DEPS}/hiredis/hiredis.c"
  "${REDOUBT_DEPS}/hiredis/net.c" "${REDOUBT_DEPS}/hiredis/read.c" "${REDOUBT_DEPS}/hiredis/sds.c"
  "${REDOUBT_DEPS}/hiredis/sockcompat.c" "${REDOUBT_DEPS}/hiredis/ssl.c")
target_include_directories(hiredis SYSTEM PUBLIC "${REDOUBT_DEPS}/hiredis_include")
target_include_directories(hiredis PRIVATE "${REDOUBT_DEPS}/hiredis")
target_link_libraries(hiredis PUBLIC OpenSSL::SSL OpenSSL::Crypto)

# ONNX Runtime: headers and library, only for src/backends/onnx.
redoubt_require("${REDOUBT_DEPS}/onnxruntime/lib/libonnxruntime.so.1" "Run tools/setup/fetch first.")
add_library(onnxruntime SHARED IMPORTED)
set_target_properties(onnxruntime PROPERTIES
  IMPORTED_LOCATION "${REDOUBT_DEPS}/onnxruntime/lib/libonnxruntime.so.1"
  IMPORTED_SONAME libonnxruntime.so.1)
target_include_directories(onnxruntime SYSTEM INTERFACE "${REDOUBT_DEPS}/onnxruntime/include")

# PyTorch: only for src/backends/torch. Its headers are kept out of warnings and of every other target.
if("torch" IN_LIST REDOUBT_BACKENDS)
  redoubt_require("${REDOUBT_DEPS}/torch/include/torch/script.h" "Run tools/setup/fetch --backends all first.")
  redoubt_require("${REDOUBT_DEPS}/torch/lib/libtorch_cpu.so" "Run tools/setup/fetch --backends all first.")
  add_library(torch INTERFACE)
  target_include_directories(torch SYSTEM INTERFACE
    "${REDOUBT_DEPS}/torch/include" "${REDOUBT_DEPS}/torch/include/torch/csrc/api/include")
  target_link_libraries(torch INTERFACE "${REDOUBT_DEPS}/torch/lib/libtorch_cpu.so" "${REDOUBT_DEPS}/torch/lib/libc10.so")
endif()

# TensorFlow's C interface: only for src/backends/tf.
if("tf" IN_LIST REDOUBT_BACKENDS)
  redoubt_require("${REDOUBT_DEPS}/tensorflow/lib/libtensorflow_cc.so.2" "Run tools/setup/fetch --backends all first.")
  add_library(tensorflow INTERFACE)
  target_include_directories(tensorflow SYSTEM INTERFACE "${REDOUBT_DEPS}/tensorflow/include")
  target_link_libraries(tensorflow INTERFACE
    "${REDOUBT_DEPS}/tensorflow/lib/libtensorflow_cc.so.2" "${REDOUBT_DEPS}/tensorflow/lib/libtensorflow_framework.so.2")
endif()
