#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::search {

// Failures to index, for FT.INFO.
struct FailureCounter {
  uint64_t count = 0;
  std::string last_error = "N/A";
  std::string last_key = "N/A";

  void Note(std::string_view error, std::string_view key) {
    ++count;
    last_error = error;
    last_key = key;
  }
};

// The size and state of an index.
struct IndexStats {
  size_t documents = 0;
  size_t document_id_bound = 0;
  size_t distinct_tags = 0;
  size_t terms = 0;    // different words of the TEXT fields
  size_t records = 0;  // postings of tags and words, and numbers
  size_t tag_bytes = 0;
  size_t numeric_bytes = 0;
  size_t text_bytes = 0;
  size_t vector_bytes = 0;  // FLAT vectors, and the three parts of graphs
  size_t graph_code_bytes = 0;
  size_t graph_link_bytes = 0;
  size_t graph_id_bytes = 0;
  size_t staged_vectors = 0;  // found, but not linked in their graph yet
  size_t key_bytes = 0;
  FailureCounter failures;
  std::vector<FailureCounter> field_failures;  // in the order of the fields

  size_t flat_bytes() const { return vector_bytes - graph_code_bytes - graph_link_bytes - graph_id_bytes; }
  size_t total_bytes() const { return key_bytes + tag_bytes + numeric_bytes + text_bytes + vector_bytes; }
};

}  // namespace redoubt::search
