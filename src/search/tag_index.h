#pragma once

#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "search/document_table.h"
#include "search/query.h"
#include "search/schema.h"
#include "search/sorted_blocks.h"

namespace redoubt::search {

// The tags of one field: which documents carry a tag, and which tags a document carries.
class TagIndex {
 public:
  TagIndex(const TagOptions& options, std::pmr::memory_resource* memory);

  // Splits `value` at the separator; trims, and folds ASCII case unless the field is case sensitive. Replaces what the
  // document had. Throws std::bad_alloc.
  void Set(Id id, std::string_view value);
  void Clear(Id id);

  // Adds the ids that carry any of `patterns` to `into`, whose bound is that of the documents.
  void Collect(const std::vector<TagPattern>& patterns, IdSet& into) const;
  // How many ids Collect() adds at most; nothing where that takes a look at every tag.
  std::optional<size_t> Estimate(const std::vector<TagPattern>& patterns) const;
  // The document's tags in their order, joined by the separator: what sorting by the field compares.
  std::string SortKey(Id id) const;
  bool Has(Id id) const { return !TagsOf(id).empty(); }

  std::vector<std::string> Texts() const;  // all tags there are, in order
  size_t distinct_tags() const { return by_text_.size(); }
  size_t postings() const { return posting_count_; }
  size_t memory_bytes() const;

 private:
  using TagId = uint32_t;
  using TagList = std::pmr::vector<TagId>;

  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Tag {
    explicit Tag(std::pmr::memory_resource* memory) : postings(memory) {}
    std::string_view text;  // the key in by_text_
    SortedBlocks<Id> postings;
  };

  // What documents_ holds: no tag, one tag's id, or kMany + a position in lists_.
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kMany = uint32_t{1} << 31;

  std::string Normalise(std::string_view tag) const;
  TagList Parse(std::string_view value);
  std::span<const TagId> TagsOf(Id id) const;
  void Remember(Id id, TagList tags);
  TagId FindOrAddTag(std::string_view text);
  void DropTagIfUnused(TagId tag);
  void CollectTag(TagId tag, IdSet& into) const;
  void Unpost(TagId tag, Id id);

  const TagOptions options_;
  std::pmr::memory_resource* memory_;
  std::pmr::unordered_map<std::pmr::string, TagId, TextHash, std::equal_to<>> by_text_;
  std::pmr::vector<Tag> tags_;
  std::pmr::vector<TagId> free_tags_;
  std::pmr::vector<uint32_t> documents_;  // by id
  std::pmr::vector<TagList> lists_;
  std::pmr::vector<uint32_t> free_lists_;
  size_t posting_count_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace redoubt::search
