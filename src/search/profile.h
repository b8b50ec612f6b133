#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "search/query.h"

namespace redoubt::search {

// What a search did, for FT.PROFILE. Borrows the nodes of its plan.
struct SearchProfile {
  struct Node {
    const FilterNode* node = nullptr;
    size_t documents = 0;  // that it lets through
    int64_t micros = 0;    // with its children
  };
  std::vector<Node> nodes;  // children before their parent
  std::string vector_plan;  // how the nearest were found, where the vectors' index says so
};

}  // namespace redoubt::search
