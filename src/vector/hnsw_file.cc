// How HnswIndex goes into a file and comes back: docs/design/hnsw.md.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#include "base/section.h"
#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr uint8_t kFormat = 2;
constexpr double kMostCentreSquares = 1e37;  // of larger vectors there is no code

enum class SlotState : uint8_t { kFree = 0, kLinked = 1, kStaged = 2 };

base::Status Unfit(std::string_view what) { return base::FailedPrecondition(fmt::format("it is of {}", what)); }
base::Status Damaged(std::string_view what) { return base::DataLoss(fmt::format("it is damaged: {}", what)); }

// The head of the file up to the centre. Answers `options` with the centre of the file, from which its codes were
// taken.
base::Result<HnswOptions> ReadOptions(HnswOptions options, base::SectionReader& in) {
  if (in.Number<uint8_t>() != kFormat) return Unfit("another version");
  if (in.Number<uint8_t>() != static_cast<uint8_t>(options.metric)) return Unfit("another metric");
  if (in.Number<uint8_t>() != static_cast<uint8_t>(options.storage)) return Unfit("other codes");
  if (in.Number<uint32_t>() != options.dim) return Unfit("another dim");
  if (in.Number<uint32_t>() != options.m) return Unfit("another M");
  options.centre.assign(in.Number<uint8_t>() == 0 ? 0 : options.dim, 0);
  in.Bytes(std::as_writable_bytes(std::span(options.centre)));
  double squares = 0;
  for (float x : options.centre) squares += double{x} * x;
  if (in.failed() || !(squares < kMostCentreSquares)) return Damaged("its head");
  return options;
}

}  // namespace

void HnswIndex::Save(base::SectionWriter& out) const {
  out.Number(kFormat);
  out.Number(static_cast<uint8_t>(options_.metric));
  out.Number(static_cast<uint8_t>(options_.storage));
  out.Number(static_cast<uint32_t>(options_.dim));
  out.Number(static_cast<uint32_t>(options_.m));
  out.Number(static_cast<uint8_t>(options_.centre.empty() ? 0 : 1));
  out.Bytes(std::as_bytes(std::span(options_.centre)));
  const Entry entry = LoadEntry();
  out.Number(levels_given_.load());
  out.Number(entry.slot);
  out.Number(static_cast<uint32_t>(graph_.bound()));
  IdSet free(graph_.bound());
  for (Slot slot : graph_.free_slots()) free.Insert(slot);
  std::vector<Slot> links(2 * options_.m);
  for (Slot slot = 0; slot < graph_.bound(); ++slot) SaveSlot(slot, free.Contains(slot), links, out);
}

// A vector that was removed before it was linked leaves nothing behind. One that was removed later leads on until it is
// repaired.
void HnswIndex::SaveSlot(Slot slot, bool free, std::vector<Slot>& links, base::SectionWriter& out) const {
  const Id id = graph_.IdOf(slot);
  SlotState state = SlotState::kLinked;
  if (graph_.IsStaged(slot)) state = id == kNoId ? SlotState::kFree : SlotState::kStaged;
  if (free) state = SlotState::kFree;
  out.Number(static_cast<uint8_t>(state));
  if (state == SlotState::kFree) return;
  const size_t level = graph_.Level(slot);
  out.Number(static_cast<uint8_t>(level));
  out.Number(id);
  out.Bytes({graph_.Code(slot) - Codec::kHeadBytes, sizeof(CodeHead)});
  out.Bytes({graph_.Code(slot), codec_.code_bytes()});
  if (state == SlotState::kStaged) return;  // links come when it is taken off the queue
  for (size_t l = 0; l <= level; ++l) {
    const size_t count = graph_.Links(slot, l).CopyTo(links.data());
    out.Number(static_cast<uint16_t>(count));
    out.Bytes(std::as_bytes(std::span(links.data(), count)));
  }
  out.Number(graph_.Twin(slot));
}

// Reads into an index that nobody else knows yet. Nothing in the file is believed: what is not checked here is the
// distance between codes, which changes answers at most, and those of live vectors are compared with their keys.
class HnswIndex::Loader {
 public:
  Loader(HnswIndex& index, const IdSet& ids, base::SectionReader& in) : index_(index), ids_(ids), in_(in) {}

  base::Status Run() {
    RETURN_IF_ERROR(ReadHead());
    for (Slot slot = 0; slot < bound_; ++slot) RETURN_IF_ERROR(ReadSlot());
    RETURN_IF_ERROR(CheckLinks());
    RETURN_IF_ERROR(SetEntry());
    for (Slot slot : free_) index_.graph_.ReturnSlot(slot);
    BlockStore::UseHugePages(index_.graph_.records().TakeHugeRanges());
    return base::OkStatus();
  }

 private:
  base::Status ReadHead() {
    index_.levels_given_ = in_.Number<uint64_t>();
    entry_ = in_.Number<Slot>();
    bound_ = in_.Number<uint32_t>();
    if (in_.failed() || bound_ > kMaxSlots) return Damaged("its head");
    return base::OkStatus();
  }

  // Twice what there is at a time, so that a number in the file alone takes no memory.
  base::Status MakeRoom(Slot slot) {
    constexpr size_t kMostBlocks = 512;
    BlockStore& records = index_.graph_.records();
    if (slot < records.size()) return base::OkStatus();
    const size_t one = records.rows_per_block();
    const size_t wanted = (bound_ - slot + one - 1) / one;
    ASSIGN_OR_RETURN(base::Buffer chunk,
                     records.MakeChunk(std::min({wanted, std::max<size_t>(records.size() / one, 1), kMostBlocks})));
    return records.Adopt(std::move(chunk));
  }

  base::Status ReadSlot() {
    HnswGraph& graph = index_.graph_;
    const auto state = static_cast<SlotState>(in_.Number<uint8_t>());
    if (in_.failed()) return Damaged("it ends too early");
    if (state > SlotState::kStaged) return Damaged("the state of a vector");
    const size_t level = state == SlotState::kFree ? 0 : in_.Number<uint8_t>();
    if (level > kMaxLevel) return Damaged("the level of a vector");
    RETURN_IF_ERROR(MakeRoom(static_cast<Slot>(graph.bound())));
    ASSIGN_OR_RETURN(const Slot slot, graph.TakeSlot(level));
    if (state == SlotState::kFree) {
      free_.push_back(slot);
      return base::OkStatus();
    }
    RETURN_IF_ERROR(ReadId(slot, state));
    RETURN_IF_ERROR(ReadCode(slot));
    if (state == SlotState::kStaged) return base::OkStatus();
    for (size_t l = 0; l <= level; ++l) RETURN_IF_ERROR(ReadLinks(slot, l));
    graph.SetTwin(slot, in_.Number<Slot>());
    return in_.failed() ? Damaged("it ends too early") : base::OkStatus();
  }

  base::Status ReadId(Slot slot, SlotState state) {
    const Id id = in_.Number<Id>();
    std::lock_guard lock(index_.mu_);
    if (state == SlotState::kLinked && id == kNoId) {
      index_.removed_.push_back(slot);
      return base::OkStatus();
    }
    if (!ids_.Contains(id) || index_.SlotOf(id) != kNoSlot) return Damaged("the id of a vector");
    RETURN_IF_ERROR(index_.slots_.Grow(size_t{id} + 1));
    index_.slots_bound_ = index_.slots_.size();
    index_.SlotWord(id) = slot;
    index_.graph_.SetId(slot, id);
    index_.size_.fetch_add(1);
    if (state != SlotState::kStaged) return base::OkStatus();
    index_.queue_.push_back(slot);
    index_.graph_.SetQueued(slot, true);
    index_.graph_.SetStaged(slot);
    return base::OkStatus();
  }

  // As Codec::Encode() leaves them: sorting by distance ends badly where one is no number.
  base::Status ReadCode(Slot slot) {
    CodeHead head;
    head.scale = in_.Number<float>();
    head.bias = in_.Number<float>();
    std::byte* const code = index_.graph_.Code(slot);
    in_.Bytes({code, index_.codec_.code_bytes()});
    std::memcpy(code - Codec::kHeadBytes, &head, sizeof(head));
    if (in_.failed() || !index_.codec_.IsSound(code)) return Damaged("the code of a vector");
    return base::OkStatus();
  }

  base::Status ReadLinks(Slot slot, size_t level) {
    LinkList links = index_.graph_.Links(slot, level);
    const size_t count = in_.Number<uint16_t>();
    if (count > links.room) return Damaged("the number of links");
    slots_.resize(count);
    in_.Bytes(std::as_writable_bytes(std::span(slots_)));
    if (in_.failed()) return Damaged("it ends too early");
    for (size_t i = 0; i < count; ++i) links.at[i].store(slots_[i], std::memory_order_relaxed);
    return base::OkStatus();
  }

  // A link on a level that its end does not have would lead out of memory, one that is there twice out of a list.
  base::Status CheckLinks() const {
    const HnswGraph& graph = index_.graph_;
    IdSet free(bound_);
    for (Slot slot : free_) free.Insert(slot);
    std::vector<uint32_t> seen(bound_);
    uint32_t list = 0;
    for (Slot slot = 0; slot < bound_; ++slot) {
      if (free.Contains(slot)) continue;
      const Slot twin = graph.Twin(slot);
      if (twin != kNoSlot && (twin >= bound_ || twin == slot || free.Contains(twin))) return Damaged("a twin");
      const size_t levels = graph.Level(slot);
      for (size_t level = 0; level <= levels; ++level) {
        if (++list == 0) return base::ResourceExhausted("it has more lists of links than can be checked");
        LinkList links = graph.Links(slot, level);
        for (size_t i = 0; i < links.room; ++i) {
          const Slot to = links.at[i].load(std::memory_order_relaxed);
          if (to == kNoSlot) break;
          const bool right = to < bound_ && to != slot && !free.Contains(to) && seen[to] != list &&
                             (level == 0 || graph.Level(to) >= level);
          if (!right) return Damaged("a link");
          seen[to] = list;
        }
      }
    }
    return base::OkStatus();
  }

  // Searches begin there, so it has to be one that is linked, unless none is.
  base::Status SetEntry() {
    const HnswGraph& graph = index_.graph_;
    if (entry_ == kNoSlot) {
      for (Slot slot = 0; slot < bound_; ++slot) {
        if (graph.IdOf(slot) != kNoId && !graph.IsStaged(slot)) return Damaged("its entry");
      }
      return base::OkStatus();
    }
    const bool usable =
        entry_ < bound_ && std::find(free_.begin(), free_.end(), entry_) == free_.end() && !graph.IsStaged(entry_);
    if (!usable) return Damaged("its entry");
    index_.StoreEntry({entry_, static_cast<uint32_t>(graph.Level(entry_))});
    return base::OkStatus();
  }

  HnswIndex& index_;
  const IdSet& ids_;
  base::SectionReader& in_;
  Slot entry_ = kNoSlot;
  Slot bound_ = 0;
  std::vector<Slot> free_;
  std::vector<Slot> slots_;  // of one list
};

base::Result<std::unique_ptr<HnswIndex>> HnswIndex::Load(const HnswOptions& options, const IdSet& ids,
                                                         base::SectionReader& in) try {
  ASSIGN_OR_RETURN(const HnswOptions found, ReadOptions(options, in));
  ASSIGN_OR_RETURN(std::unique_ptr<HnswIndex> index, Create(found));
  RETURN_IF_ERROR(Loader(*index, ids, in).Run());
  return index;
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory for it");
}

}  // namespace redoubt::vector
