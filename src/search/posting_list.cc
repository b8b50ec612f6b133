#include "search/posting_list.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "search/varint.h"

namespace redoubt::search {
namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kFirstBytes = 8;  // most words are in one document only

using Bytes = std::vector<uint8_t>;

struct Head {
  Id distance;
  bool many;
};

Head ReadHead(const uint8_t*& at) {
  const uint64_t head = ReadVarint(at);
  return {static_cast<Id>(head >> 1), (head & 1) != 0};
}

uint64_t HeadValue(Id distance, bool many) { return uint64_t{distance} << 1 | (many ? 1 : 0); }

void AppendHead(Id distance, bool many, Bytes& out) { AppendVarint(HeadValue(distance, many), out); }

void SkipBody(const uint8_t*& at, bool many) {
  const auto count = static_cast<uint32_t>(many ? ReadVarint(at) : 1);
  SkipVarints(at, count);
}

void AppendDocument(Id distance, std::span<const uint32_t> positions, Bytes& out) {
  AppendHead(distance, positions.size() > 1, out);
  if (positions.size() > 1) AppendVarint(positions.size(), out);
  uint32_t before = 0;
  for (uint32_t position : positions) AppendVarint(position - std::exchange(before, position), out);
}

}  // namespace

// Where a document stands in a block's bytes.
struct PostingList::Place {
  const uint8_t* begin;
  const uint8_t* body;  // behind the head
  Head head;
  Id id;
  Id before;  // of the document in front of it
  bool first;
};

// The first document from `id` on, which the block has.
PostingList::Place PostingList::PlaceOf(const Block& block, Id id) {
  Place place = {block.bytes, block.bytes, {}, block.first, 0, true};
  place.head = search::ReadHead(place.body);
  while (place.id < id) {
    SkipBody(place.body, place.head.many);
    place.begin = place.body;
    place.before = place.id;
    place.head = search::ReadHead(place.body);
    place.id += place.head.distance;
    place.first = false;
  }
  return place;
}

PostingList::~PostingList() {
  for (Block& block : blocks_) FreeBlock(block);
}

void PostingList::FreeBlock(Block& block) {
  if (block.bytes != nullptr) memory_->deallocate(block.bytes, block.capacity, 1);
}

size_t PostingList::memory_bytes() const {
  size_t bytes = blocks_.capacity() * sizeof(Block);
  for (const Block& block : blocks_) bytes += block.capacity;
  return bytes;
}

size_t PostingList::BlockFor(Id id) const {
  const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), id,
                                      [](const Block& block, Id wanted) { return block.last < wanted; });
  return static_cast<size_t>(found - blocks_.begin());
}

void PostingList::Reserve(Block& block, size_t bytes) {
  if (bytes <= block.capacity) return;
  size_t capacity = std::max<size_t>(block.capacity, kFirstBytes);
  while (capacity < bytes) capacity += std::max(capacity / 2, kFirstBytes);
  auto* larger = static_cast<uint8_t*>(memory_->allocate(capacity, 1));
  if (block.used > 0) std::memcpy(larger, block.bytes, block.used);
  FreeBlock(block);
  block.bytes = larger;
  block.capacity = static_cast<uint32_t>(capacity);
}

// Removals left most of it empty. Without memory for a smaller place it stays where it is.
void PostingList::ShrinkToFit(Block& block) {
  if (block.capacity <= 4 * kFirstBytes || block.used * 4 > block.capacity) return;
  Block smaller = block;
  smaller.bytes = nullptr;
  smaller.capacity = 0;
  smaller.used = 0;
  try {
    Reserve(smaller, block.used);
  } catch (const std::bad_alloc&) {
    return;
  }
  std::memcpy(smaller.bytes, block.bytes, block.used);
  smaller.used = block.used;
  FreeBlock(block);
  block = smaller;
}

void PostingList::Insert(Id id, std::span<const uint32_t> positions) {
  const size_t at = BlockFor(id);
  if (at == blocks_.size()) {
    Append(id, positions);
  } else {
    InsertInto(at, id, positions);
  }
}

void PostingList::Append(Id id, std::span<const uint32_t> positions) {
  Bytes document;
  const Id before = blocks_.empty() ? id : blocks_.back().last;
  AppendDocument(id - before, positions, document);
  if (blocks_.empty() || blocks_.back().used + document.size() > kBlockBytes) {
    document.clear();
    AppendDocument(0, positions, document);
    Block fresh;
    fresh.first = id;
    Reserve(fresh, document.size());
    try {
      blocks_.push_back(fresh);
    } catch (...) {
      FreeBlock(fresh);
      throw;
    }
  }
  Block& block = blocks_.back();
  Reserve(block, block.used + document.size());
  std::memcpy(block.bytes + block.used, document.data(), document.size());
  block.used += static_cast<uint32_t>(document.size());
  block.last = id;
  ++block.count;
  ++size_;
}

// Before a document that is there, whose distance grows shorter.
void PostingList::InsertInto(size_t at, Id id, std::span<const uint32_t> positions) {
  Block& block = blocks_[at];
  const Place place = PlaceOf(block, id);
  CHECK(place.id != id);
  Bytes fresh;
  AppendDocument(place.first ? 0 : id - place.before, positions, fresh);
  AppendHead(place.id - id, place.head.many, fresh);
  const auto offset = static_cast<size_t>(place.begin - block.bytes);
  const auto replaced = static_cast<size_t>(place.body - place.begin);
  Reserve(block, block.used + fresh.size());
  std::memmove(block.bytes + offset + fresh.size(), block.bytes + offset + replaced, block.used - offset - replaced);
  std::memcpy(block.bytes + offset, fresh.data(), fresh.size());
  block.used += static_cast<uint32_t>(fresh.size() - replaced);
  if (place.first) block.first = id;
  ++block.count;
  ++size_;
  if (block.used > kBlockBytes && block.count > 1) Split(at);
}

// At the first document that begins behind the middle.
void PostingList::Split(size_t at) {
  const Block& block = blocks_[at];
  const uint8_t* next = block.bytes;
  const uint8_t* place = nullptr;
  Head head = search::ReadHead(next);
  Id id = block.first;
  Id before = id;
  uint32_t kept = 0;
  do {
    SkipBody(next, head.many);
    place = next;
    before = id;
    head = search::ReadHead(next);
    id += head.distance;
    ++kept;
  } while (kept + 1 < block.count && place - block.bytes < static_cast<ptrdiff_t>(block.used / 2));
  Bytes moved;
  AppendHead(0, head.many, moved);
  moved.insert(moved.end(), next, static_cast<const uint8_t*>(block.bytes) + block.used);
  Block upper;
  Reserve(upper, moved.size());
  std::memcpy(upper.bytes, moved.data(), moved.size());
  upper.used = static_cast<uint32_t>(moved.size());
  upper.first = id;
  upper.last = block.last;
  upper.count = block.count - kept;
  const auto used = static_cast<uint32_t>(place - block.bytes);
  try {
    blocks_.insert(blocks_.begin() + static_cast<ptrdiff_t>(at) + 1, upper);
  } catch (...) {
    FreeBlock(upper);
    throw;
  }
  Block& lower = blocks_[at];
  lower.used = used;
  lower.last = before;
  lower.count = kept;
  ShrinkToFit(lower);
}

bool PostingList::Remove(Id id) {
  const size_t at = BlockFor(id);
  if (at == blocks_.size() || id < blocks_[at].first) return false;
  Block& block = blocks_[at];
  const Place place = PlaceOf(block, id);
  if (place.id != id) return false;
  --size_;
  if (--block.count == 0) {
    FreeBlock(block);
    blocks_.erase(blocks_.begin() + static_cast<ptrdiff_t>(at));
    if (blocks_.empty()) blocks_.shrink_to_fit();
    return true;
  }
  if (id == block.last) {
    block.used = static_cast<uint32_t>(place.begin - block.bytes);
    block.last = place.before;
  } else {
    CutOut(block, place);
  }
  ShrinkToFit(block);
  return true;
}

// The document behind it takes in its distance: never more bytes than it gives free.
void PostingList::CutOut(Block& block, const Place& place) {
  const uint8_t* next = place.body;
  SkipBody(next, place.head.many);
  const Head following = search::ReadHead(next);
  const Id distance = place.first ? 0 : place.head.distance + following.distance;
  if (place.first) block.first += following.distance;
  const auto offset = static_cast<size_t>(place.begin - block.bytes);
  const size_t written = WriteVarint(HeadValue(distance, following.many), block.bytes + offset);
  const size_t left = block.used - static_cast<size_t>(next - block.bytes);
  std::memmove(block.bytes + offset + written, next, left);
  block.used = static_cast<uint32_t>(offset + written + left);
}

PostingList::Cursor::Cursor(const PostingList& list) : list_(&list) {
  if (!done()) EnterBlock();
}

void PostingList::Cursor::EnterBlock() {
  const Block& block = list_->blocks_[block_];
  positions_ = block.bytes;
  left_ = block.count;
  ReadHead(block.first);
}

void PostingList::Cursor::ReadHead(Id before) {
  const Head head = search::ReadHead(positions_);
  id_ = before + head.distance;
  count_ = static_cast<uint32_t>(head.many ? ReadVarint(positions_) : 1);
  --left_;
}

void PostingList::Cursor::Next() {
  if (left_ > 0) {
    SkipVarints(positions_, count_);
    ReadHead(id_);
  } else if (++block_; !done()) {
    EnterBlock();
  }
}

void PostingList::Cursor::SeekTo(Id id) {
  if (done() || id_ >= id) return;
  const auto& blocks = list_->blocks_;
  if (blocks[block_].last < id) {
    const auto from = blocks.begin() + static_cast<ptrdiff_t>(block_);
    const auto found =
        std::lower_bound(from, blocks.end(), id, [](const Block& block, Id wanted) { return block.last < wanted; });
    block_ = static_cast<size_t>(found - blocks.begin());
    if (done()) return;
    EnterBlock();
  }
  while (id_ < id) Next();
}

void PostingList::Cursor::ReadPositions(std::vector<uint32_t>& into) const {
  const uint8_t* at = positions_;
  uint32_t position = 0;
  for (uint32_t i = 0; i < count_; ++i) into.push_back(position += static_cast<uint32_t>(ReadVarint(at)));
}

}  // namespace redoubt::search
