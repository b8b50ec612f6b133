#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "search/create_parser.h"
#include "search/live_index.h"

// What a file has of an index, with a right checksum around any bytes: whatever is loaded is searched, written to,
// mended, and comes through a file again. The bytes stand for themselves, or for changes of a right file, because few
// others get far.
namespace redoubt::search {
namespace {

constexpr size_t kDim = 4;
constexpr size_t kGraph = 1;  // the field

std::shared_ptr<LiveIndex> Create() {
  std::vector<std::string_view> args = {"i", "SCHEMA", "tag",     "TAG", "vec", "VECTOR",          "HNSW", "8", "M",
                                        "2", "TYPE",   "FLOAT32", "DIM", "4",   "DISTANCE_METRIC", "L2"};
  return LiveIndex::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
}

void Put(LiveIndex& index, int number) {
  float vector[kDim];
  for (size_t i = 0; i < kDim; ++i) vector[i] = static_cast<float>((number * 37 + static_cast<int>(i) * 11) % 101);
  const std::string_view blob(reinterpret_cast<const char*>(vector), sizeof(vector));
  std::vector<std::optional<std::string_view>> values = {"t", blob};
  index.Put("key" + std::to_string(number), values);
}

void Work(LiveIndex& index) {
  while (index.work().Run() != GraphWork::Turn::kNone) {
  }
}

void Search(LiveIndex& index) {
  const std::string blob(kDim * sizeof(float), '\0');
  std::vector<std::string_view> args = {"*=>[KNN 5 @vec $b]", "PARAMS", "2", "b", blob, "DIALECT", "2"};
  (void)index.Search(PlanSearch(args, index.definition()).value());
}

using Parts = std::vector<std::string>;  // the documents, the graph

Parts Save(const LiveIndex& index) {
  Parts parts(2);
  for (size_t i = 0; i < 2; ++i) {
    base::SectionWriter out([&](std::span<const std::byte> chunk) {
      parts[i].append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    });
    i == 0 ? index.AsItStands().SaveDocuments(out) : index.AsItStands().SaveGraph(kGraph, out);
    out.Finish();
    parts[i].resize(parts[i].size() - sizeof(uint64_t));
  }
  return parts;
}

bool Load(LiveIndex& index, const Parts& parts) {
  std::deque<std::string> chunks;
  for (const std::string& part : parts) {
    base::SectionWriter out([&](std::span<const std::byte> chunk) {
      chunks.emplace_back(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    });
    out.Bytes(std::as_bytes(std::span(part)));
    out.Finish();
  }
  const base::SectionSource source = [&chunks]() -> base::Result<base::Buffer> {
    if (chunks.empty()) return base::DataLoss("the file ends");
    ASSIGN_OR_RETURN(base::Buffer chunk, base::Buffer::Create(chunks.front().size(), base::DefaultMemory()));
    if (chunk.size() > 0) std::memcpy(chunk.data(), chunks.front().data(), chunk.size());
    chunks.pop_front();
    return chunk;
  };
  base::SectionReader documents(source);
  if (!index.LoadDocuments(documents).ok()) return false;
  base::SectionReader graph(source);
  return index.LoadGraph(kGraph, graph).ok();
}

// With vectors that are linked, staged and removed, and with a free place.
const Parts& RightFile() {
  static const Parts parts = [] {
    std::shared_ptr<LiveIndex> index = Create();
    for (int i = 0; i < 30; ++i) Put(*index, i);
    Work(*index);
    for (int i = 0; i < 4; ++i) index->Remove("key" + std::to_string(i));
    Work(*index);
    for (int i = 40; i < 43; ++i) Put(*index, i);
    index->Remove("key9");
    return Save(*index);
  }();
  return parts;
}

Parts Changed(const uint8_t* data, size_t size) {
  Parts parts = RightFile();
  for (; size >= 3; data += 3, size -= 3) {
    size_t at = data[0] + 256 * data[1];
    at %= parts[0].size() + parts[1].size();
    (at < parts[0].size() ? parts[0][at] : parts[1][at - parts[0].size()]) = static_cast<char>(data[2]);
  }
  return parts;
}

}  // namespace
}  // namespace redoubt::search

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace redoubt::search;  // NOLINT: the one function outside of the namespace
  if (size == 0) return 0;
  const bool whole = (data[0] & 1) != 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Parts parts = whole ? Parts{RightFile()[0], text} : Changed(data + 1, size - 1);
  std::shared_ptr<LiveIndex> index = Create();
  (void)Load(*index, parts);
  for (int i = 0; i < 35; ++i) {
    if (i % 5 != 0) Put(*index, i);
  }
  Search(*index);
  Work(*index);
  (void)index->DropUnconfirmed();
  Work(*index);
  Search(*index);
  if (index->Stats().documents != 28) __builtin_trap();
  if (!Load(*Create(), Save(*index))) __builtin_trap();
  return 0;
}
