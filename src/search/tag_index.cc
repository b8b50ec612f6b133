#include "search/tag_index.h"

#include <algorithm>

namespace redoubt::search {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view TrimSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool Matches(TagPattern::Kind kind, std::string_view tag, std::string_view text) {
  switch (kind) {
    case TagPattern::Kind::kExact:
      return tag == text;
    case TagPattern::Kind::kPrefix:
      return tag.starts_with(text);
    case TagPattern::Kind::kSuffix:
      return tag.ends_with(text);
    case TagPattern::Kind::kContains:
      return tag.find(text) != std::string_view::npos;
  }
  return false;
}

}  // namespace

TagIndex::TagIndex(const TagOptions& options, std::pmr::memory_resource* memory)
    : options_(options),
      memory_(memory),
      by_text_(memory),
      tags_(memory),
      free_tags_(memory),
      documents_(memory),
      lists_(memory),
      free_lists_(memory) {}

std::string TagIndex::Normalise(std::string_view tag) const {
  std::string text(TrimSpace(tag));
  if (!options_.case_sensitive) std::transform(text.begin(), text.end(), text.begin(), Lower);
  return text;
}

std::span<const TagIndex::TagId> TagIndex::TagsOf(Id id) const {
  if (id >= documents_.size() || documents_[id] == kNone) return {};
  if (documents_[id] < kMany) return {&documents_[id], 1};
  return lists_[documents_[id] - kMany];
}

TagIndex::TagList TagIndex::Parse(std::string_view value) {
  TagList tags(memory_);
  while (true) {
    size_t end = value.find(options_.separator);
    std::string text = Normalise(value.substr(0, end));
    if (!text.empty()) {
      TagId tag = FindOrAddTag(text);
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
    }
    if (end == std::string_view::npos) return tags;
    value.remove_prefix(end + 1);
  }
}

TagIndex::TagId TagIndex::FindOrAddTag(std::string_view text) {
  if (auto found = by_text_.find(text); found != by_text_.end()) return found->second;
  if (free_tags_.empty()) {
    tags_.emplace_back(memory_);
    free_tags_.push_back(static_cast<TagId>(tags_.size() - 1));
  }
  TagId tag = free_tags_.back();
  auto [place, added] = by_text_.emplace(std::pmr::string(text, memory_), tag);
  free_tags_.pop_back();
  tags_[tag].text = place->first;
  text_bytes_ += text.size();
  return tag;
}

void TagIndex::Set(Id id, std::string_view value) {
  TagList tags = Parse(value);
  for (TagId tag : tags) posting_count_ += tags_[tag].postings.Insert(id);
  for (TagId tag : TagsOf(id)) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) Unpost(tag, id);
  }
  Remember(id, std::move(tags));
}

void TagIndex::Clear(Id id) {
  for (TagId tag : TagsOf(id)) Unpost(tag, id);
  if (id < documents_.size()) Remember(id, TagList(memory_));
}

void TagIndex::Remember(Id id, TagList tags) {
  if (id >= documents_.size()) documents_.resize(size_t{id} + 1, kNone);
  uint32_t& held = documents_[id];
  if (held != kNone && held >= kMany) {
    lists_[held - kMany] = TagList(memory_);
    free_lists_.push_back(held - kMany);
  }
  held = tags.empty() ? kNone : tags[0];
  if (tags.size() < 2) return;
  if (free_lists_.empty()) {
    lists_.emplace_back();
    free_lists_.push_back(static_cast<uint32_t>(lists_.size() - 1));
  }
  lists_[free_lists_.back()] = std::move(tags);
  held = kMany + free_lists_.back();
  free_lists_.pop_back();
}

void TagIndex::Unpost(TagId tag, Id id) {
  posting_count_ -= tags_[tag].postings.Erase(id);
  DropTagIfUnused(tag);
}

void TagIndex::DropTagIfUnused(TagId tag) {
  if (!tags_[tag].postings.empty()) return;
  text_bytes_ -= tags_[tag].text.size();
  by_text_.erase(by_text_.find(tags_[tag].text));
  free_tags_.push_back(tag);
}

void TagIndex::CollectTag(TagId tag, IdSet& into) const {
  tags_[tag].postings.ForEach([&](Id id) { into.Insert(id); });
}

void TagIndex::Collect(const std::vector<TagPattern>& patterns, IdSet& into) const {
  for (const TagPattern& pattern : patterns) {
    std::string text = Normalise(pattern.text);
    if (pattern.kind == TagPattern::Kind::kExact) {
      if (auto found = by_text_.find(std::string_view(text)); found != by_text_.end()) CollectTag(found->second, into);
      continue;
    }
    for (const auto& [known, tag] : by_text_) {
      if (Matches(pattern.kind, known, text)) CollectTag(tag, into);
    }
  }
}

std::optional<size_t> TagIndex::Estimate(const std::vector<TagPattern>& patterns) const {
  size_t count = 0;
  for (const TagPattern& pattern : patterns) {
    if (pattern.kind != TagPattern::Kind::kExact) return std::nullopt;
    const auto found = by_text_.find(std::string_view(Normalise(pattern.text)));
    if (found != by_text_.end()) count += tags_[found->second].postings.size();
  }
  return count;
}

std::string TagIndex::SortKey(Id id) const {
  std::string key;
  for (TagId tag : TagsOf(id)) {
    if (!key.empty()) key += options_.separator;
    key += tags_[tag].text;
  }
  return key;
}

std::vector<std::string> TagIndex::Texts() const {
  std::vector<std::string> texts;
  texts.reserve(by_text_.size());
  for (const auto& [text, tag] : by_text_) texts.emplace_back(text);
  std::sort(texts.begin(), texts.end());
  return texts;
}

size_t TagIndex::memory_bytes() const {
  size_t bytes = text_bytes_ + by_text_.bucket_count() * sizeof(void*);
  bytes += by_text_.size() * (sizeof(std::pmr::string) + sizeof(TagId) + 2 * sizeof(void*));
  bytes += tags_.capacity() * sizeof(Tag) + documents_.capacity() * sizeof(uint32_t);
  for (const Tag& tag : tags_) bytes += tag.postings.memory_bytes();
  for (const TagList& list : lists_) bytes += sizeof(TagList) + list.capacity() * sizeof(TagId);
  return bytes;
}

}  // namespace redoubt::search
