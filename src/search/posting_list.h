#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "search/document_table.h"

namespace redoubt::search {

// The documents that hold one word, in the order of their ids, each with the word's places in it.
// Blocks of about half a KiB of bytes, see docs/design/ft-text.md. Documents come and go in any order.
class PostingList {
 public:
  class Cursor;

  explicit PostingList(std::pmr::memory_resource* memory) : memory_(memory), blocks_(memory) {}
  ~PostingList();
  PostingList(PostingList&& other) noexcept = default;  // leaves `other` empty
  PostingList& operator=(PostingList&&) = delete;

  // `id` is not there yet; `positions` are ascending, at least one. When std::bad_alloc is thrown the list is sound,
  // with the document or without.
  void Insert(Id id, std::span<const uint32_t> positions);
  // False when it is not there. Takes no memory.
  bool Remove(Id id);

  size_t size() const { return size_; }  // documents
  bool empty() const { return size_ == 0; }
  size_t memory_bytes() const;

 private:
  // Each document: the distance of its id from the one before (0 for the block's first), doubled, plus 1 when the word
  // is there more than once; then in that case how often; then the first position and the distances of the others.
  // All of them as varints.
  struct Block {
    uint8_t* bytes = nullptr;
    uint32_t used = 0;
    uint32_t capacity = 0;
    Id first = 0;
    Id last = 0;
    uint32_t count = 0;
  };

  struct Place;

  static Place PlaceOf(const Block& block, Id id);
  size_t BlockFor(Id id) const;  // the first whose last is not before `id`
  static void CutOut(Block& block, const Place& place);
  void Append(Id id, std::span<const uint32_t> positions);
  void InsertInto(size_t at, Id id, std::span<const uint32_t> positions);
  void Split(size_t at);
  void ShrinkToFit(Block& block);
  void Reserve(Block& block, size_t bytes);
  void FreeBlock(Block& block);

  std::pmr::memory_resource* memory_;
  std::pmr::vector<Block> blocks_;
  size_t size_ = 0;
};

// A walk over a list that does not change meanwhile.
class PostingList::Cursor {
 public:
  explicit Cursor(const PostingList& list);

  bool done() const { return block_ == list_->blocks_.size(); }
  // What follows: only when not done().
  Id id() const { return id_; }
  uint32_t count() const { return count_; }  // how often the word is in the document
  void Next();
  // To the first document whose id is not below `id`; never backwards.
  void SeekTo(Id id);
  // Adds the word's places in the document, ascending.
  void ReadPositions(std::vector<uint32_t>& into) const;

 private:
  void EnterBlock();
  void ReadHead(Id before);

  const PostingList* list_;
  size_t block_ = 0;
  const uint8_t* positions_ = nullptr;
  uint32_t left_ = 0;  // documents of the block after this one
  Id id_ = 0;
  uint32_t count_ = 0;
};

}  // namespace redoubt::search
