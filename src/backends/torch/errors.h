#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string_view>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// An error text for the caller's redoubt_error; returns `code`. Of a text that is too long the end is kept: there
// TorchScript says what went wrong, in front where.
int32_t Fail(redoubt_error* error, redoubt_code code, std::string_view message);

// What went wrong, without the native stack that libtorch appends.
int32_t Fail(redoubt_error* error, redoubt_code code, const std::exception& e);

// Runs `body`, which returns a code, and turns what it throws into a code and a message: vendor exceptions end here.
template <class Body>
int32_t Guarded(redoubt_error* error, redoubt_code on_failure, Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Fail(error, REDOUBT_OUT_OF_MEMORY, "not enough memory for libtorch");
  } catch (const std::exception& e) {
    return Fail(error, on_failure, e);
  } catch (...) {
    return Fail(error, REDOUBT_INTERNAL, "unknown exception from libtorch");
  }
}

}  // namespace redoubt::backends::torch
